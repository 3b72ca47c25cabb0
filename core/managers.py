"""How user accounts are made."""

from typing import TYPE_CHECKING, Any

from django.contrib.auth.base_user import BaseUserManager

if TYPE_CHECKING:
    from core.models import User


class UserManager(BaseUserManager["User"]):
    """Accounts are named by their e-mail address, compared without case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find the account that signs in with this address."""
        return self.get(email__iexact=username)

    def create_user(self, email: str, password: str | None = None, **extra: Any) -> "User":
        """Create an account without any role; without a password it can't sign in until one is set."""
        user = self.model(email=email.strip().lower(), **extra)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> "User":
        """Create an account that may open every page of Django's admin. Decisions still go by role."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **extra)
