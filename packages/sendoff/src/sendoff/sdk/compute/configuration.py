"""What a compute target is made or attached with: values, kept as given, and the checks SDK v1 made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..exceptions import ComputeTargetException
from ..given import together

if TYPE_CHECKING:
    from ..workspace import Workspace


class Configuration:
    """Base of provisioning and attach configurations."""

    _compute_type: str | None = None
    _secret: tuple[str, ...] = ()
    location: str | None = None

    def __post_init__(self, *_: Any) -> None:
        self.validate_configuration()

    def validate_configuration(self) -> None:
        """Check what was given.

        Raises:
            ComputeTargetException: Values do not go together; all of them are named.
        """
        problems = self._problems()
        if problems:
            raise ComputeTargetException("; ".join(problems), hint="Mend the configuration and try again.")

    def _problems(self) -> list[str]:
        return []

    def _properties(self) -> dict[str, Any]:
        left_out = {"location", "tags", "description", "namespace", *self._secret}
        return {
            name: value
            for name, value in vars(self).items()
            if value is not None and not name.startswith("_") and name not in left_out
        }

    def _resource_id(self, workspace: Workspace) -> str | None:
        return None


class SecuredConfiguration(Configuration):
    """A configuration that may carry a certificate; its files are named and not read."""

    ssl_cname: str | None = None
    ssl_cert_pem_file: str | None = None
    ssl_key_pem_file: str | None = None
    leaf_domain_label: str | None = None
    overwrite_existing_domain: bool = False

    def enable_ssl(
        self,
        ssl_cname: str | None = None,
        ssl_cert_pem_file: str | None = None,
        ssl_key_pem_file: str | None = None,
        leaf_domain_label: str | None = None,
        overwrite_existing_domain: bool = False,
    ) -> None:
        """Ask for HTTPS with a certificate of one's own, or with a generated domain.

        Raises:
            ComputeTargetException: Only some of name, certificate and key are given, or both ways at once.
        """
        given = (ssl_cname, ssl_cert_pem_file, ssl_key_pem_file)
        if leaf_domain_label and any(given):
            raise ComputeTargetException("leaf_domain_label goes without ssl_cname, certificate and key")
        self.ssl_cname, self.ssl_cert_pem_file, self.ssl_key_pem_file = given
        self.leaf_domain_label = leaf_domain_label
        self.overwrite_existing_domain = overwrite_existing_domain
        self.validate_configuration()

    def _problems(self) -> list[str]:
        return super()._problems() + together(self, "ssl_cname", "ssl_cert_pem_file", "ssl_key_pem_file")
