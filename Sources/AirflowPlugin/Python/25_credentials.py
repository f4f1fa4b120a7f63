

# --- Who it is to Google ---------------------------------------------------------------------------------------------
#
# As every program of Google's, unless a task names a connection of Airflow or accounts to act as. The key of a
# connection is handed to dagrun in memory, and lies in no file.


class Credentials(NamedTuple):
    """What a command of dagrun signs in with, in place of what is found on its machine."""

    # The text of a key file, or its path.
    key: str | None = None
    key_path: str | None = None
    # Accounts to act as, each by way of the one before it.
    chain: tuple[str, ...] = ()

    @classmethod
    def of(cls, gcp_conn_id: str | None, impersonation_chain: str | Sequence[str] | None) -> Credentials:
        """Of a Google Cloud connection of Airflow, whose provider need not be installed."""
        chain = accounts_of(impersonation_chain)
        if gcp_conn_id is None:
            return cls(chain=chain)
        extra = extra_of_connection(gcp_conn_id)
        for name in ("key_secret_name", "credential_config_file", "is_anonymous", "idp_issuer_url"):
            if extra.get(name):
                raise failure(
                    f"The connection {gcp_conn_id} has {name}, which dagrun cannot use.",
                    "Give it a keyfile_dict or a key_path, or neither: then the machine's own credentials count.",
                    final=True,
                )
        key = extra.get("keyfile_dict")
        if key and extra.get("key_path"):
            raise failure(
                f"The connection {gcp_conn_id} has a keyfile_dict and a key_path.", "Give it one of them.", final=True
            )
        return cls(
            key=json.dumps(key) if isinstance(key, Mapping) else key or None,
            key_path=extra.get("key_path") or None,
            chain=chain or accounts_of(extra.get("impersonation_chain")),
        )

    def __repr__(self) -> str:
        key = None if self.key is None else "***"
        return f"Credentials(key={key}, key_path={self.key_path!r}, chain={self.chain!r})"

    @contextlib.contextmanager
    def handed_on(self) -> Iterator[tuple[dict[str, str], tuple[int, ...]]]:
        """The environment of a program that uses them, and descriptors that it has to be given."""
        environment = Binary.environment()
        if self.key is not None or self.key_path:
            # What this machine would sign in with counts more to dagrun than a file of credentials.
            for name in ("ACCESS_TOKEN", "ACCESS_TOKEN_FILE", "IMPERSONATE_SERVICE_ACCOUNT"):
                environment.pop(f"CLOUDSDK_AUTH_{name}", None)
        if self.chain:
            environment["CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT"] = ",".join(self.chain)
        if self.key_path:
            environment["GOOGLE_APPLICATION_CREDENTIALS"] = self.key_path
        if self.key is None:
            yield environment, ()
            return
        # It is read again each hour, also when this process is gone.
        descriptor = os.memfd_create("credentials", os.MFD_CLOEXEC)
        try:
            with open(descriptor, "wb", closefd=False) as file:
                file.write(self.key.encode())
            environment["GOOGLE_APPLICATION_CREDENTIALS"] = f"/proc/self/fd/{descriptor}"
            yield environment, (descriptor,)
        finally:
            os.close(descriptor)


def accounts_of(chain: Any) -> tuple[str, ...]:
    """Of an impersonation chain, as Google's operators take it: an account, a list of them, or a text with commas."""
    accounts = chain.split(",") if isinstance(chain, str) else list(chain or ())
    return tuple(account.strip() for account in accounts if account.strip())


def extra_of_connection(conn_id: str) -> dict[str, Any]:
    extra = first_of("BaseHook", "airflow.sdk", "airflow.hooks.base").get_connection(conn_id).extra_dejson
    prefix = "extra__google_cloud_platform__"
    # Where both are given, a field's new name counts, as in Google's own hook.
    old = {key[len(prefix) :]: value for key, value in extra.items() if key.startswith(prefix)}
    return {**old, **{key: value for key, value in extra.items() if not key.startswith(prefix)}}
