"""Numbers with a check digit: VAT identifiers, tax numbers and accounts that a validator accepts."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

# Internal Revenue Service: valid two-digit prefixes of an Employer Identification Number (a selection).
_EIN_PREFIXES = ("10", "12", "20", "26", "27", "35", "45", "46", "47", "52", "61", "75", "81", "82", "92")


def digits(random: Random, count: int) -> str:
    """Return ``count`` random digits, the first not 0."""
    return str(random.randint(1, 9)) + "".join(str(random.randint(0, 9)) for _ in range(count - 1))


def german_vat(random: Random) -> str:
    """Return a German VAT identifier; its last digit is ISO 7064 MOD 11,10."""
    body = digits(random, 8)
    product = 10
    for digit in body:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return f"DE{body}{(11 - product) % 10}"


def british_vat(random: Random) -> str:
    """Return a British VAT registration number, whose weighted sum is divisible by 97."""
    body = digits(random, 7)
    check = -sum(weight * int(digit) for weight, digit in zip(range(8, 1, -1), body, strict=True)) % 97
    return f"GB{body}{check:02d}"


def french_vat(random: Random) -> str:
    """Return a French VAT identifier: a key over the SIREN, which ends in a Luhn digit."""
    body = digits(random, 8)
    doubled = (int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(body))
    siren = body + str(-sum(value // 10 + value % 10 for value in doubled) % 10)
    return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"


def employer_number(random: Random) -> str:
    """Return a US Employer Identification Number."""
    return f"{random.choice(_EIN_PREFIXES)}-{digits(random, 7)}"


def vat_identifier(random: Random, country_code: str) -> str:
    """Return the tax identifier that a company of a country prints."""
    draw = {"DE": german_vat, "GB": british_vat, "FR": french_vat, "US": employer_number}[country_code]
    return draw(random)


def account(random: Random, iban_country: str | None) -> str:
    """Return an IBAN of a country (ISO 13616), or a plain account number where there are none."""
    if iban_country is None:
        return digits(random, 10)
    if iban_country == "FR":
        bank, branch, number = digits(random, 5), digits(random, 5), digits(random, 11)
        # The French RIB key over bank, branch and account.
        key = 97 - (89 * int(bank) + 15 * int(branch) + 3 * int(number)) % 97
        body = f"{bank}{branch}{number}{key:02d}"
    elif iban_country == "GB":
        body = "".join(random.choice("ABCDLMNRS") for _ in range(4)) + digits(random, 14)
    else:
        body = digits(random, 18)
    as_number = int("".join(str(int(char, 36)) for char in f"{body}{iban_country}00"))
    return f"{iban_country}{98 - as_number % 97:02d}{body}"


def grouped(number: str, size: int = 4) -> str:
    """Return a number in printed groups, as IBANs are written on paper."""
    return " ".join(number[start : start + size] for start in range(0, len(number), size))


@dataclass(frozen=True)
class BankAccount:
    """An account at a bank."""

    number: str  # an IBAN where the country has them
    bic: str
    bank_name: str


def gtin(random: Random) -> str:
    """Return a GTIN-13; its last digit is GS1's check digit."""
    body = digits(random, 12)
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return body + str(-total % 10)
