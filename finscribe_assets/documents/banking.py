"""Bank accounts at random: an IBAN with valid check digits, or the national form where a country has no IBANs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from finscribe_assets.documents.identifiers import digits, luhn, weighted_sum

# Banks of one region, by the cities or states in which they have branches; the others are everywhere.
_REGIONS: dict[str, frozenset[str]] = {
    "Stadtsparkasse München": frozenset({"München"}),
    "Raiffeisen NÖ-Wien": frozenset({"Wien", "St. Pölten", "Wiener Neustadt"}),
    "Zürcher Kantonalbank": frozenset({"Zürich", "Winterthur"}),
    "Lone Star National Bank": frozenset({"TX"}),
    "Pacific Valley Bank": frozenset({"CA", "OR", "WA"}),
}
# Country → (bank code in account numbers, BIC if any, name). Source: the imprints of the banks.
_BANKS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "DE": (
        ("37040044", "COBADEFFXXX", "Commerzbank"),
        ("20041111", "COBADEHDXXX", "comdirect"),
        ("70150000", "SSKMDEMMXXX", "Stadtsparkasse München"),
        ("12030000", "BYLADEM1001", "DKB"),
    ),
    "AT": (
        ("12000", "BKAUATWW", "UniCredit Bank Austria"),
        ("20111", "GIBAATWWXXX", "Erste Bank"),
        ("32000", "RLNWATWW", "Raiffeisen NÖ-Wien"),
    ),
    "CH": (
        ("09000", "POFICHBEXXX", "PostFinance"),
        ("00700", "ZKBKCHZZ80A", "Zürcher Kantonalbank"),
        ("00230", "UBSWCHZH80A", "UBS Switzerland"),
    ),
    "GB": (("NWBK", "NWBKGB2L", "NatWest"), ("BARC", "BARCGB22", "Barclays"), ("LOYD", "LOYDGB2L", "Lloyds Bank")),
    "FR": (
        ("30004", "BNPAFRPP", "BNP Paribas"),
        ("30003", "SOGEFRPP", "Société Générale"),
        ("20041", "PSSTFRPP", "La Banque Postale"),
    ),
    "ES": (("0049", "BSCHESMM", "Banco Santander"), ("2100", "CAIXESBB", "CaixaBank"), ("0182", "BBVAESMM", "BBVA")),
    "IT": (
        ("03069", "BCITITMM", "Intesa Sanpaolo"),
        ("02008", "UNCRITMM", "UniCredit"),
        ("01030", "PASCITMM", "Monte dei Paschi"),
    ),
    "NL": (("ABNA", "ABNANL2A", "ABN AMRO"), ("INGB", "INGBNL2A", "ING Bank"), ("RABO", "RABONL2U", "Rabobank")),
    "PL": (("102", "BPKOPLPW", "PKO Bank Polski"), ("114", "BREXPLPW", "mBank"), ("124", "PKOPPLPW", "Bank Pekao")),
    "PT": (
        ("0035", "CGDIPTPL", "Caixa Geral de Depósitos"),
        ("0033", "BCOMPTPL", "Millennium bcp"),
        ("0010", "BBPIPTPL", "Banco BPI"),
    ),
    "SE": (("500", "ESSESESS", "SEB"), ("600", "HANDSESS", "Handelsbanken"), ("800", "SWEDSESS", "Swedbank")),
    "AE": (("033", "BOMLAEAD", "Mashreq"), ("026", "EBILAEAD", "Emirates NBD"), ("035", "NBADAEAA", "FAB")),
    "US": (
        ("0210", "", "First Harbor Bank"),
        ("1110", "", "Lone Star National Bank"),
        ("3220", "", "Pacific Valley Bank"),
    ),
    "AU": (("062", "", "Commonwealth Bank"), ("033", "", "Westpac"), ("083", "", "NAB")),
    "IN": (("SBIN", "", "State Bank of India"), ("HDFC", "", "HDFC Bank"), ("ICIC", "", "ICICI Bank")),
    "JP": (("", "BOTKJPJT", "三菱UFJ銀行"), ("", "SMBCJPJT", "三井住友銀行"), ("", "MHCBJPJT", "みずほ銀行")),
    "CN": (
        ("6222", "ICBKCNBJ", "中国工商银行"),
        ("6217", "BKCHCNBJ", "中国银行"),
        ("6227", "PCBCCNBJ", "中国建设银行"),
    ),
}
# Swiss bank code → the bank's QR identification, from 30000 to 31999. Source: the bank master of SIX.
_QR_BANKS = {"09000": "30000", "00700": "30700", "00230": "30005"}


@dataclass(frozen=True)
class BankAccount:
    """A bank account."""

    number: str  # an IBAN if the country has them
    bic: str  # or, where there are none, the routing, BSB or IFSC number
    bank_name: str


def draw_account(random: Random, country_code: str, *places: str | None) -> BankAccount:
    """Draw an account at one of the banks that have a branch near its holder.

    Args:
        random: the stream to draw from.
        country_code: ISO 3166-1 alpha-2.
        *places: city and state of the holder.
    """
    banks = [bank for bank in _BANKS[country_code] if bank[2] not in _REGIONS or _REGIONS[bank[2]] & set(places)]
    code, bic, name = random.choice(banks)
    if country_code in _BBANS:
        return BankAccount(iban(country_code, _BBANS[country_code](random, code)), bic, name)
    match country_code:
        case "US":  # routing number of the American Bankers Association
            body = code + digits(random, 4)
            return BankAccount(digits(random, 10), f"{body}{-weighted_sum(body, (3, 7, 1, 3, 7, 1, 3, 7)) % 10}", name)
        case "AU":
            return BankAccount(digits(random, 9), f"{code}-{digits(random, 3)}", name)
        case "IN":
            return BankAccount(digits(random, 11), f"{code}0{digits(random, 6)}", name)
        case "JP":
            return BankAccount(digits(random, 7), bic, name)
        case _:
            body = code + digits(random, 14)
            return BankAccount(body + luhn(body), bic, name)


def qr_iban(account: str) -> str:
    """Return the QR-IBAN of a Swiss IBAN, to which QR references are paid: that of the bank's QR identification.

    Args:
        account: the IBAN of one of the banks above.
    """
    return iban("CH", _QR_BANKS[account[4:9]] + account[9:])


def iban(country_code: str, bban: str) -> str:
    """Return the IBAN of a national account number.

    ISO 13616: the check digits are ISO 7064 MOD 97-10 over the digits, with letters replaced by numbers from 10.
    """
    number = int("".join(str(int(character, 36)) for character in f"{bban}{country_code}00"))
    return f"{country_code}{98 - number % 97:02d}{bban}"


# Functions that draw a basic bank account number (BBAN), given the bank's code.


def _plain(count: int) -> Callable[[Random, str], str]:
    """Return a function that adds random digits to the bank's code, for countries without national check digits."""
    return lambda random, code: code + digits(random, count)


def _german(random: Random, bank: str) -> str:
    # Check digit methods of the Bundesbank: 13 has six digits and a sub-account, 00 has nine. Both use Luhn.
    if bank in ("37040044", "20041111"):
        number = digits(random, 6)
        return f"{bank}0{number}{luhn(number)}00"
    number = digits(random, 9)
    return f"{bank}{number}{luhn(number)}"


def _french(random: Random, bank: str) -> str:
    branch, number = digits(random, 5), digits(random, 11)
    # The RIB key (relevé d'identité bancaire) over bank, branch and account.
    key = 97 - (89 * int(bank) + 15 * int(branch) + 3 * int(number)) % 97
    return f"{bank}{branch}{number}{key:02d}"


def _spanish(random: Random, bank: str) -> str:
    branch, number = digits(random, 4), digits(random, 10)
    weights = (1, 2, 4, 8, 5, 10, 9, 7, 3, 6)
    sums = (weighted_sum(bank + branch, weights[2:]), weighted_sum(number, weights))
    checks = "".join(str({10: 1, 11: 0}.get(11 - total % 11, 11 - total % 11)) for total in sums)
    return f"{bank}{branch}{checks}{number}"


# Values of the digits at odd positions, counted from 1, in the Italian CIN.
_ODD_VALUES = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)


def _italian(random: Random, bank: str) -> str:
    body = f"{bank}{digits(random, 5)}{digits(random, 12)}"
    total = sum(int(digit) if index % 2 else _ODD_VALUES[int(digit)] for index, digit in enumerate(body))
    return f"{chr(ord('A') + total % 26)}{body}"


def _dutch(random: Random, bank: str) -> str:
    while True:  # the eleven-test (elfproef); a number that would need a check digit of 10 is not issued
        body = f"0{digits(random, 8)}"
        check = -weighted_sum(body, range(10, 1, -1)) % 11
        if check < 10:
            return f"{bank}{body}{check}"


def _polish(random: Random, bank: str) -> str:
    branch = f"{bank}0{digits(random, 3)}"
    return f"{branch}{-weighted_sum(branch, (3, 9, 7, 1, 3, 9, 7)) % 10}{digits(random, 16)}"


def _portuguese(random: Random, bank: str) -> str:
    body = f"{bank}{digits(random, 4)}{digits(random, 11)}"
    return f"{body}{98 - int(body) * 100 % 97:02d}"


_BBANS: dict[str, Callable[[Random, str], str]] = {
    "DE": _german,
    "AT": _plain(11),
    "CH": _plain(12),
    "GB": _plain(14),
    "SE": _plain(17),
    "AE": _plain(16),
    "FR": _french,
    "ES": _spanish,
    "IT": _italian,
    "NL": _dutch,
    "PL": _polish,
    "PT": _portuguese,
}
