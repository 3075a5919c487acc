"""Tax identifiers and article numbers at random, with check digits that validators accept.

Values have the form in which documents print them, with the grouping that is usual in the country.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

# Some of the valid prefixes of an Employer Identification Number. Source: Internal Revenue Service.
_EIN_PREFIXES = ("10", "12", "20", "26", "27", "35", "45", "46", "47", "52", "61", "75", "81", "82", "92")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BASE_36 = "0123456789" + _LETTERS
# GB 32100: digits and letters without I, O, S, V and Z.
_BASE_31 = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def digits(random: Random, count: int) -> str:
    """Draw ``count`` digits, the first of which is not 0."""
    return str(random.randint(1, 9)) + "".join(random.choices("0123456789", k=count - 1))


def weighted_sum(number: str, weights: Sequence[int]) -> int:
    """Return the sum of the digits of a number times their weights."""
    return sum(weight * int(digit) for weight, digit in zip(weights, number, strict=True))


def luhn(body: str, alphabet: str = "0123456789") -> str:
    """Return the check character of a number by the Luhn algorithm (ISO/IEC 7812-1), over any alphabet of even size."""
    size, total = len(alphabet), 0
    for index, character in enumerate(reversed(body)):
        value = alphabet.index(character) * (1 if index % 2 else 2)
        total += value // size + value % size
    return alphabet[-total % size]


def german_vat(random: Random) -> str:
    """Draw a German VAT identifier; its check digit is ISO 7064 MOD 11,10."""
    body = digits(random, 8)
    product = 10
    for digit in body:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return f"DE{body}{(11 - product) % 10}"


def austrian_vat(random: Random) -> str:
    """Draw an Austrian UID; its check digit is that of Luhn, shifted by four."""
    body = digits(random, 7)
    total = sum(sum(divmod(int(digit) * (2 if index % 2 else 1), 10)) for index, digit in enumerate(body))
    return f"ATU{body}{-(total + 4) % 10}"


def swiss_vat(random: Random) -> str:
    """Draw a Swiss UID with the suffix MWST; its check digit is modulo 11 with the weights of the UID ordinance."""
    while True:
        body = digits(random, 8)
        check = -weighted_sum(body, (5, 4, 3, 2, 7, 6, 5, 4)) % 11
        if check < 10:
            number = f"{body}{check}"
            return f"CHE-{number[:3]}.{number[3:6]}.{number[6:]} MWST"


def british_vat(random: Random) -> str:
    """Draw a British VAT registration number; its last two digits make the weighted sum divisible by 97."""
    body = digits(random, 7)
    return f"GB{body}{-weighted_sum(body, range(8, 1, -1)) % 97:02d}"


def french_vat(random: Random) -> str:
    """Draw a French VAT identifier: a key computed from the SIREN, whose check digit is that of Luhn."""
    body = digits(random, 8)
    siren = body + luhn(body)
    return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"


def spanish_vat(random: Random, company: str) -> str:
    """Draw a Spanish VAT identifier; its letter is A for an S.A. and B for an S.L., its check digit is that of Luhn."""
    body = f"{random.randint(1, 52):02d}{digits(random, 5)}"
    return f"ES{'A' if company.endswith('S.A.') else 'B'}{body}{luhn(body)}"


def italian_vat(random: Random) -> str:
    """Draw an Italian partita IVA: number of the company, province and the Luhn check digit."""
    body = f"{digits(random, 7)}{random.randint(1, 95):03d}"
    return f"IT{body}{luhn(body)}"


def dutch_vat(random: Random) -> str:
    """Draw a Dutch VAT identifier; the RSIN in it passes the eleven-test (elfproef)."""
    while True:
        body = digits(random, 8)
        check = weighted_sum(body, range(9, 1, -1)) % 11
        if check < 10:
            return f"NL{body}{check}B{random.randint(1, 3):02d}"


def polish_vat(random: Random) -> str:
    """Draw a Polish NIP; its check digit is modulo 11."""
    while True:
        body = digits(random, 9)
        check = weighted_sum(body, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11
        if check < 10:
            return f"PL{body}{check}"


def portuguese_vat(random: Random) -> str:
    """Draw the VAT identifier of a Portuguese company; its check digit is modulo 11."""
    body = f"5{random.randint(0, 9_999_999):07d}"
    rest = -weighted_sum(body, range(9, 1, -1)) % 11
    return f"PT{body}{rest if rest < 10 else 0}"


def swedish_vat(random: Random, company: str) -> str:
    """Draw a Swedish VAT identifier: the organisation number, whose check digit is that of Luhn, and 01.

    Numbers of stock companies (AB) begin with 55, those of partnerships with 96.
    """
    body = f"{'55' if company.endswith('AB') else '96'}{random.choice('69')}{digits(random, 6)}"
    return f"SE{body}{luhn(body)}01"


def employer_number(random: Random) -> str:
    """Draw a US Employer Identification Number; it has no check digit."""
    return f"{random.choice(_EIN_PREFIXES)}-{digits(random, 7)}"


def indian_gstin(random: Random, state_code: str, company: str) -> str:
    """Draw a GSTIN: code of the state, PAN of a company (C) or firm (F), and a Luhn check character in base 36."""
    letters = "".join(random.choices(_LETTERS, k=3)) + ("C" if company.endswith(("Limited", "Ltd.")) else "F")
    pan = f"{letters}{random.choice(_LETTERS)}{random.randint(1, 9999):04d}{random.choice(_LETTERS)}"
    body = f"{state_code}{pan}1Z"
    return body + luhn(body, _BASE_36)


def australian_abn(random: Random) -> str:
    """Draw an ABN in printed groups: the company's ACN after two digits that make the weighted sum divisible by 89."""
    body = digits(random, 8)
    body += str(-weighted_sum(body, range(8, 0, -1)) % 10)
    check = 11 + (-weighted_sum(body, range(3, 20, 2)) - 1) % 89
    return f"{check} {body[:3]} {body[3:6]} {body[6:]}"


def japanese_registration(random: Random) -> str:
    """Draw a Japanese invoice registration number: T and the corporate number, which begins with its check digit."""
    body = digits(random, 12)
    return f"T{9 - weighted_sum(body, (2, 1) * 6) % 9}{body}"


def chinese_credit_code(random: Random, district_code: str) -> str:
    """Draw a unified social credit code (GB 32100) with an organisation code (GB 11714) of a company in a district."""
    body = digits(random, 8)
    rest = -weighted_sum(body, (3, 7, 9, 10, 5, 8, 4, 2)) % 11
    code = f"91{district_code}{body}{'X' if rest == 10 else rest}"
    weights = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
    total = sum(weight * _BASE_31.index(character) for weight, character in zip(weights, code, strict=True))
    return code + _BASE_31[-total % 31]


def emirati_trn(random: Random) -> str:
    """Draw an Emirati tax registration number: 15 digits that begin with 100. Its check digit is not published."""
    return f"100{digits(random, 9)}{random.choice(('003', '103', '203'))}"


_VAT_IDENTIFIERS: dict[str, Callable[[Random], str]] = {
    "DE": german_vat,
    "AT": austrian_vat,
    "CH": swiss_vat,
    "GB": british_vat,
    "FR": french_vat,
    "IT": italian_vat,
    "NL": dutch_vat,
    "PL": polish_vat,
    "PT": portuguese_vat,
    "US": employer_number,
    "AU": australian_abn,
    "JP": japanese_registration,
    "AE": emirati_trn,
}


def vat_identifier(random: Random, country_code: str, subdivision_code: str, company: str) -> str:
    """Draw the tax identifier of a company.

    Args:
        random: the stream to draw from.
        country_code: ISO 3166-1 alpha-2 code.
        subdivision_code: code of state or district, which identifiers of India and China contain.
        company: name of the company; in India, Spain and Sweden the identifier depends on its legal form.
    """
    match country_code:
        case "IN":
            return indian_gstin(random, subdivision_code, company)
        case "CN":
            return chinese_credit_code(random, subdivision_code)
        case "ES":
            return spanish_vat(random, company)
        case "SE":
            return swedish_vat(random, company)
        case _:
            return _VAT_IDENTIFIERS[country_code](random)


# The part of a tax identifier, without separators, that is the company's number in all registers of the country.
_NATIONAL_NUMBERS = {
    "FR": slice(4, None),
    "IT": slice(2, None),
    "ES": slice(2, None),
    "PT": slice(2, None),
    "NL": slice(2, 11),
    "SE": slice(2, 12),
    "CH": slice(3, 12),
    "IN": slice(2, 12),
    "AU": slice(2, None),
    "JP": slice(2, None),
    "CN": slice(None),
}


def national_number(country_code: str, vat: str) -> str:
    """Return the national company number that a tax identifier contains, such as the SIREN, UID, PAN or ACN.

    Empty if the registers of the country number companies independently.
    """
    part = _NATIONAL_NUMBERS.get(country_code)
    return "".join(filter(str.isalnum, vat))[part] if part else ""


# First and last of the three-digit prefixes of GS1's member organisations. Source: GS1, "GS1 prefix" list.
GS1_PREFIXES: dict[str, tuple[tuple[int, int], ...]] = {
    "US": ((1, 19), (30, 39), (60, 139)),
    "FR": ((300, 379),),
    "DE": ((400, 440),),
    "JP": ((450, 459), (490, 499)),
    "GB": ((500, 509),),
    "PT": ((560, 560),),
    "PL": ((590, 590),),
    "AE": ((629, 629),),
    "CN": ((690, 699),),
    "SE": ((730, 739),),
    "CH": ((760, 769),),
    "IT": ((800, 839),),
    "ES": ((840, 849),),
    "NL": ((870, 879),),
    "IN": ((890, 890),),
    "AT": ((900, 919),),
    "AU": ((930, 939),),
}
DOMESTIC_MAKERS = 0.6  # share of articles whose maker has its number from the organisation of the vendor's country
# Where other makers have theirs from, by weight: the largest exporters of goods among these countries.
_EXPORTERS = {"CN": 6, "US": 3, "DE": 3, "JP": 2, "NL": 2, "IT": 1, "FR": 1, "GB": 1, "ES": 1, "PL": 1}


def gtin(random: Random, country_code: str) -> str:
    """Draw a GTIN-13 with the check digit of GS1, of a maker in the country of the vendor or in another.

    Numbers of American makers are those of UPC codes, which have a 0 in front here.
    """
    maker = country_code
    if random.random() >= DOMESTIC_MAKERS:
        maker = random.choices(list(_EXPORTERS), list(_EXPORTERS.values()))[0]
    ranges = GS1_PREFIXES[maker]
    first, last = random.choices(ranges, [last - first + 1 for first, last in ranges])[0]
    body = f"{random.randint(first, last):03d}{random.randrange(10**9):09d}"
    return f"{body}{-weighted_sum(body, (1, 3) * 6) % 10}"
