"""Invented names, brands and registration numbers: believable, never twice, and nobody's."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from incentives.demo import words


def dice(*seeds: object) -> Random:
    """Return a die of its own for one purpose: drawing more for one never changes another."""
    return Random("/".join(map(str, seeds)))  # noqa: S311 - invented data, no secret


class Names:
    """Makes names that differ from all that it made before."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.taken: set[str] = set()
        self._serial = 0

    def merchant(self, country: str) -> str:
        """A company's name as one of this country would bear it."""
        make: dict[str, Callable[[], str]] = {
            "CN": self._chinese_company,
            "HK": lambda: self._composed(words.ENGLISH_FORMS, words.ENGLISH_FIRST, words.ENGLISH_SECOND),
            "JP": self._japanese_company,
            "DE": lambda: self._composed(words.GERMAN_FORMS, words.GERMAN_FIRST, words.GERMAN_SECOND),
            "FR": lambda: self._composed(words.FRENCH_FORMS, words.FRENCH_FIRST, words.FRENCH_SECOND),
            "IT": lambda: self._composed(words.ITALIAN_FORMS, words.ITALIAN_FIRST, words.ITALIAN_SECOND),
            "ES": lambda: self._composed(words.SPANISH_FORMS, words.SPANISH_FIRST, words.SPANISH_SECOND),
        }
        return self._fresh(make[country])

    def brand(self, country: str) -> str:
        """A brand; where the merchant's language has a script of its own, sometimes in it."""
        if country == "CN" and self.random.random() < 0.2:
            return self._fresh(self._chinese_stem)
        if country == "JP" and self.random.random() < 0.5:
            return self._fresh(self._japanese_stem)
        return self._fresh(self._latin_brand)

    def partner(self, category: str, country: str) -> str:
        """A service provider's name, telling its trade."""
        chinese, english = words.PARTNER_TRADES[category]
        if country == "CN":
            return self._fresh(
                lambda: f"{self.random.choice(words.CHINESE_CITIES)}{self._chinese_stem()}{chinese}有限公司"
            )
        if country == "JP":
            return self._fresh(lambda: f"株式会社{self._japanese_stem()}{self.random.choice(words.JAPANESE_TRADES)}")
        return self._fresh(lambda: f"{self._joined(words.ENGLISH_FIRST, words.ENGLISH_SECOND)} {english} Limited")

    def registration(self, country: str) -> str:
        """A registration number of the country's shape, from a range that its register doesn't give out."""
        self._serial += 1
        serial, tail = self._serial, self.random.randrange(10_000)
        return {
            # Unified social credit code: there is no region 99.
            "CN": f"9199{tail:04d}MA{serial:05d}{tail % 1000:03d}X"[:18],
            # Corporate number: its check digit is never 0.
            "JP": f"0{tail:04d}{serial:08d}",
            "HK": f"99{serial:06d}",
            "DE": f"HRB 99{serial:05d}",
            # SIREN and VAT numbers don't start with 000.
            "FR": f"000 {serial // 1000:03d} {serial % 1000:03d}",
            "IT": f"000{tail:04d}{serial:04d}",
            # There is no province 00.
            "ES": f"B-00{serial:06d}",
        }[country]

    def token(self, length: int = 20) -> str:
        """An unguessable-looking code, as a link has."""
        return "".join(self.random.choices("abcdefghjkmnpqrstuvwxyz23456789", k=length))

    def _fresh(self, make: Callable[[], str]) -> str:
        for _ in range(200):
            name = make()
            if name.casefold() not in self.taken:
                break
        else:
            name = f"{make()} {len(self.taken)}"
        self.taken.add(name.casefold())
        return name

    def _chinese_stem(self) -> str:
        parts = (words.CHINESE_FIRST, words.CHINESE_SECOND, words.CHINESE_THIRD)
        return "".join(self.random.choice(part) for part in parts)

    def _chinese_company(self) -> str:
        city, trade = self.random.choice(words.CHINESE_CITIES), self.random.choice(words.CHINESE_TRADES)
        return f"{city}{self._chinese_stem()}{trade}有限公司"

    def _japanese_stem(self) -> str:
        return self._joined(words.JAPANESE_FIRST, words.JAPANESE_SECOND)

    def _japanese_company(self) -> str:
        trade = self.random.choice(words.JAPANESE_TRADES)
        return self.random.choice(words.JAPANESE_FORMS).format(self._japanese_stem() + trade)

    def _latin_brand(self) -> str:
        word = self._joined(words.BRAND_FIRST, words.BRAND_SECOND, words.BRAND_THIRD)
        return word.upper() if self.random.random() < 0.15 else word

    def _composed(self, forms: tuple[str, ...], *parts: tuple[str, ...]) -> str:
        return self.random.choice(forms).format(self._joined(*parts))

    def _joined(self, *parts: tuple[str, ...]) -> str:
        return "".join(self.random.choice(part) for part in parts)
