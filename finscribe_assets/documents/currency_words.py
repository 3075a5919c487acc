"""Words and signs that stand for currencies beside amounts, in the languages of the locales and of their neighbours.

Symbols that CLDR has are not listed: `currency_marks` takes them from babel. Several currencies may share a word.
"""

from __future__ import annotations

# Currencies → the words for them, separated by spaces; _ stands for a space in a word.
_WORDS: dict[str, str] = {
    "EUR": "€ euro euros euroa evro evra eur eura eurów ευρώ евро يورو ユーロ 欧元 歐元 유로",
    "USD CAD AUD SGD NZD HKD TWD JMD BBD BZD NAD LRD FJD TTD": "$ dollar dollars dollaro dollari dólar dólares dolar "
    "dolary dolarów dolara دولار دولارات ドル 美元 美金",
    "USD CAD AUD SGD NZD HKD TWD MXN ARS CLP COP UYU DOP CUP": "$",
    "USD": "US$ $US U$S US_dollar US_dollars US-Dollar buck bucks 米ドル",
    "CAD": "C$ CA$ $CA",
    "AUD": "A$ AU$ $AU",
    "SGD": "S$ $SG",
    "NZD": "NZ$",
    "HKD": "HK$ 港元 港币 港幣",
    "TWD": "NT$ 新台币 新臺幣 新台幣",
    "MXN": "Mex$ MX$",
    "BRL": "R$ real reais reales reals",
    "GBP": "£ pound_sterling pounds_sterling sterling quid stg",
    "GBP EGP LBP SYP SDG": "pound pounds pund Pfund livre livres libra libras sterlina "
    "sterline lira_sterlina lire_sterline pond ponden funt funty funtów جنيه ليرة ポンド 英镑",
    "CHF": "Fr SFr Schweizer_Franken",
    "CHF XAF XOF XPF DJF GNF CDF RWF FRF BEF LUF": "franc francs franco francos franchi Franken Frank frank franki "
    "franków F.CFA FCFA CFA 法郎 フラン فرنك",
    "PLN": "zł zl złoty złote złotych złotego zloty zlote zlotych zlotys",
    "SEK NOK DKK ISK": "kr krona kronor krone kroner kronen kronur koron korony couronne couronnes corona coronas "
    "corone crown crowns coroa coroas クローネ クローナ 克朗 كرونة",
    "SEK": "Skr svenska_kronor",
    "NOK": "Nkr norske_kroner",
    "DKK": "Dkr danske_kroner",
    "CZK": "Kč Kc koruna koruny korun crown crowns",
    "HUF": "Ft forint forints",
    "RON MDL": "lei leu leul",
    "BGN": "лв лева lev leva lew",
    "RSD MKD": "дин динар динара din dinar dinara",
    "RUB": "₽ руб рублей рубля рубль ruble rubles rouble roubles rubli",
    "UAH": "₴ грн гривень hryvnia hryvnias",
    "TRY": "₺ TL lira liras lirası",
    "INR": "₹ रुपये रुपए रुपया रू रु Indian_rupees",
    "INR PKR LKR NPR MUR SCR": "Rs Re ₨ rupee rupees rupia rupias rupie rupien Rupie Rupien roupie roupies "
    "rupier roepie roepies rúpia rúpias روبية ルピー 卢比",
    "BDT": "৳ Tk taka টাকা",
    "IDR": "Rp rupiah",
    "MYR": "RM ringgit",
    "THB": "฿ baht บาท",
    "VND": "₫ đ đồng dong",
    "KRW": "₩ won 원",
    "PHP": "₱ piso pisos",
    "PHP MXN ARS CLP COP UYU DOP CUP": "peso pesos",
    "JPY": "¥ ￥ JP¥ yen yens jen jenów iene ienes ين 円 圓 日元 日圆",
    "CNY": "¥ ￥ CN¥ RMB yuan yuans renminbi juan يوان 人民币 人民幣 人民元",
    "CNY TWD HKD": "元 圆 圓",
    "AED MAD": "درهم دراهم درهما dirham dirhams dirhem",
    "AED": "د.إ Dhs Dh",
    "KWD": "د.ك KD",
    "KWD BHD JOD IQD TND DZD LYD": "دينار dinar dinars dinari",
    "SAR": "ر.س SR",
    "SAR QAR OMR YER IRR": "ريال riyal riyals rial rials ریال",
    "ILS": "₪ NIS shekel shekels",
    "ZAR": "rand rands",
    "KES UGX TZS": "KSh USh TSh shilling shillings",
    "NGN": "₦ naira",
    "GHS": "₵ GH₵ cedi cedis",
    "PEN": "S/ soles",
}


def currency_words() -> dict[str, tuple[str, ...]]:
    """Return the currencies that each word or sign can stand for, as ISO 4217 codes."""
    meanings: dict[str, dict[str, None]] = {}
    for codes, words in _WORDS.items():
        for word in words.split():
            meanings.setdefault(word.replace("_", " ").strip(), {}).update(dict.fromkeys(codes.split()))
    return {word: tuple(codes) for word, codes in meanings.items()}
