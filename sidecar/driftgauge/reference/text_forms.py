"""Texts that are dates, and texts that are numbers with a currency, a percent sign or separators of thousands."""

import re
from typing import Final

_MONTH: Final = r"(0?[1-9]|1[0-2])"
_DAY: Final = r"(0?[1-9]|[12]\d|3[01])"
_MONTH_NAME: Final = (
    r"(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?|oct(ober)?|nov(ember)?|"
    r"dec(ember)?)\.?"
)
_WEEKDAY: Final = r"((mon|tue|tues|wed|wednes|thu|thurs|fri|sat|satur|sun)(day)?\.?,? )?"
_CLOCK: Final = r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[ap]\.?m\.?)?( ?(z|utc|gmt|[a-z]{3,4}|[+-]\d{2}:?(\d{2})?))?"
_DATES: Final = (
    rf"\d{{4}}(?P<iso>[-/]){_MONTH}(?P=iso){_DAY}",
    r"\d{4}\.(0[1-9]|1[0-2])\.(0[1-9]|[12]\d|3[01])",
    rf"({_MONTH}/{_DAY}|{_DAY}/{_MONTH})/(\d{{4}}|\d{{2}})",
    rf"({_MONTH}-{_DAY}|{_DAY}-{_MONTH})-(\d{{4}}|\d{{2}})",
    rf"({_MONTH}\.{_DAY}|{_DAY}\.{_MONTH})\.\d{{4}}",
    rf"{_WEEKDAY}{_MONTH_NAME} {_DAY}(st|[nr]d|th)?,? \d{{4}}",
    rf"{_WEEKDAY}{_DAY}(st|[nr]d|th)?\.?[ -]{_MONTH_NAME},?[ -](\d{{4}}|\d{{2}})",
    rf"{_WEEKDAY}{_MONTH_NAME} {_DAY} {_CLOCK} \d{{4}}",
    r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(t?([01]\d|2[0-3])[0-5]\d([0-5]\d)?z?)?",
)
_TIME_OF_DAY: Final = r"(([01]\d|2[0-3]):[0-5]\d(:[0-5]\d([.,]\d+)?)?|(0?[1-9]|1[0-2]):[0-5]\d(:[0-5]\d)? ?[ap]\.?m\.?)"
_DATE: Final = re.compile(rf"({'|'.join(_DATES)})((t|,? ){_CLOCK})?|{_TIME_OF_DAY}", re.ASCII | re.IGNORECASE)
"""ISO 8601 and its usual variants, 01/31/2024, 31.01.2024, Jan 05, 2023, 5 Jan 2023, 20240131, and times of a day.

Years of two digits need slashes or hyphens, since 1.2.13 is a version. Hours of one digit need am or pm, since 1:10 is
a ratio.
"""

_CURRENCY: Final = (
    r"([$\u20ac\u00a3\u00a5\u20b9\u20bd\u20a9]|US\$|kr|Rs\.?|USD|EUR|GBP|JPY|CNY|INR|CHF|CAD|AUD|SEK|NOK|DKK|PLN|BRL|MXN|"
    r"KRW|SGD|HKD|TRY|RUB)"
)
_SPACE: Final = r"[ \u00a0\u202f]"
_COMMAS: Final = r"\d{1,3}(,\d{2,3})*,\d{3}(\.\d+)?"
_POINTS: Final = r"\d{1,3}(\.\d{3})+,\d+"
_DECIMAL_COMMA: Final = r"\d+,\d+"
_SPACES: Final = rf"\d{{1,3}}(({_SPACE}|['\u2019])\d{{3}})+([.,]\d+)?"
_PLAIN: Final = r"\d+(\.\d+)?"
_NUMBER: Final = re.compile(
    rf"(?P<negative>[(+-]?){_SPACE}?(?P<before>{_CURRENCY}?){_SPACE}?(?P<sign>[+-]?)"
    rf"(?P<number>{_COMMAS}|{_POINTS}|{_DECIMAL_COMMA}|{_SPACES}|{_PLAIN}){_SPACE}?(?P<after>(%|{_CURRENCY})?)\)?",
    re.ASCII,
)


def is_date(text: str) -> bool:
    """Whether a text is a date, a time of a day, or both."""
    return _DATE.fullmatch(text.strip()) is not None


def plain_number(text: str) -> str | None:
    """The number of a text such as `$1,303.68`, `12 %` or `1.234,56` as it is to be written; `None` of any other text.

    Plain numbers are not of this form: as text they may be codes.
    """
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        return None
    number = found["number"]
    if re.fullmatch(_PLAIN, number, re.ASCII) and not found["before"] and not found["after"]:
        return None
    if re.fullmatch(_COMMAS, number, re.ASCII):
        number = number.replace(",", "")
    elif "," in number:
        number = number.replace(".", "").replace(",", ".")
    number = re.sub(rf"{_SPACE}|['\u2019]", "", number)
    is_negative = found["negative"] in {"(", "-"} or found["sign"] == "-"
    return f"-{number}" if is_negative else number
