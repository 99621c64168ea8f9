"""What looks like a secret is masked, and what only speaks of one is not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_tk.charts.masks import Mask, is_marked, revealed, secrets
from gitops_tk.charts.secrecy import has_secret_name, is_secret_group, looks_secret

_SECRET = (
    *("DB_PASSWORD", "dbPassword", "apiKey", "API-KEY", "SECRET_KEY_BASE", "DB_PASS", "PASSWORD_OLD", "sshKey"),
    *("tls.key", "SENTRY_DSN", "ConnectionString", "clientSecret", "OAUTH2_CLIENT_SECRET", "credentials", "token"),
    "db-password.txt",
)
_OPEN = (
    *("secretName", "secretKeyRef", "TOKEN_TTL", "maxTokens", "imagePullSecrets", "tokenUrl", "passwordFile", "bypass"),
    *("secret-service.yaml", "key", "name", "LOG_LEVEL", "monkey", "keyboard", "publicKey", "author", "compass", ""),
)


@pytest.mark.parametrize("name", _SECRET)
def test_names_that_look_secret(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize("name", _OPEN)
def test_names_that_tell_about_a_secret_or_have_nothing_to_do_with_one(name: str) -> None:
    assert not looks_secret(name)


@given(st.text(alphabet="abPSkey_-.password secrtoTOKEN", max_size=24))
def test_the_mask_takes_in_all_that_the_rule_takes_for_a_secret(name: str) -> None:
    for secret in (name, f"{name}_password", f"{name}.api-key", f"{name}-TOKEN"):
        assert looks_secret(secret) or not has_secret_name(secret)
        assert looks_secret(secret) or not is_secret_group(secret)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("password: hunter2", "password: (hidden)"),
        ("db_password=hunter2\nhost=a", "db_password=(hidden)\nhost=a"),
        ("export API_TOKEN='a b'", "export API_TOKEN=(hidden)"),
        ('{"user": "a", "password": "hunter2", "n": 1}', '{"user": "a", "password": (hidden), "n": 1}'),
        ("Server=a;Password=hunter2;User=b", "Server=a;Password=(hidden);User=b"),
        ("<password>hunter2</password>", "<password>(hidden)</password>"),
        ("a: postgres://web:hunter2@db/web", "a: postgres://web:(hidden)@db/web"),
        (f"a: amqp://{'u' * 300}:{'p' * 900}@queue/web", f"a: amqp://{'u' * 300}:(hidden)@queue/web"),
        ("curl -H 'Authorization: Bearer abcdef' x", "curl -H 'Authorization: Bearer (hidden)' x"),
        ("password: |\n  one\n  two\nhost: a", "password: (hidden)\nhost: a"),
        ("db:\n  password:\n    value: one\n  host: a", "db:\n  password:(hidden)\n  host: a"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\nb", "(hidden)\nb"),
        ("key AKIAABCDEFGHIJKLMNOP end", "key (hidden) end"),
        ("https://hooks.slack.com/services/T0/B0/xyz", "https://hooks.slack.com/services/(hidden)"),
        # What something else fills in, and what is no secret.
        ("password: ${DB_PASSWORD}", "password: ${DB_PASSWORD}"),
        ("password: $(DB_PASSWORD)", "password: $(DB_PASSWORD)"),
        ("password: <path:secret/data/db#password>", "password: <path:secret/data/db#password>"),
        ("password: ''", "password: ''"),
        ("password: ${DB_PASSWORD:-hunter2}", "password: (hidden)"),
        ("registry.example.com/token-service:v2", "registry.example.com/token-service:v2"),
        ("tokenTTL: 30", "tokenTTL: 30"),
        ("the token is elsewhere", "the token is elsewhere"),
    ],
)
def test_secrets_in_texts(text: str, expected: str) -> None:
    masked = Mask().text(text)
    assert revealed(masked) == expected
    assert revealed(Mask().text(masked)) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"db": {"password": "hunter2", "port": 5432}}, {"db": {"password": "(hidden)", "port": 5432}}),
        ({"pin": {"token": 1234}}, {"pin": {"token": "(hidden)"}}),
        (
            {"secrets": {"a": "x", "b": ["y", {"c": "z"}]}},
            {"secrets": {"a": "(hidden)", "b": ["(hidden)", {"c": "(hidden)"}]}},
        ),
        ({"secrets": [{"name": "a", "mountPath": "/x"}]}, {"secrets": [{"name": "a", "mountPath": "/x"}]}),
        ({"token-service": {"image": {"tag": "v1"}}}, {"token-service": {"image": {"tag": "v1"}}}),
        ({"env": [{"name": "API_KEY", "value": "x"}]}, {"env": [{"name": "API_KEY", "value": "(hidden)"}]}),
        ({"password": "", "apiToken": None, "tokens": True}, {"password": "", "apiToken": None, "tokens": True}),
        ({"args": ["--token", "x", "--verbose"]}, {"args": ["--token", "(hidden)", "--verbose"]}),
    ],
)
def test_secrets_in_values(values: Any, expected: Any) -> None:
    assert revealed(Mask().value("", values)) == expected


def test_one_mask_tells_equal_from_different_and_two_masks_tell_nothing() -> None:
    one, other = Mask(), Mask()
    assert one.mark("a") == one.mark("a") != one.mark("b")
    assert one.mark("a") != other.mark("a")
    assert one.mark(1) != one.mark("1")
    assert is_marked(one.mark("a"))
    assert "hunter2" not in one.mark("hunter2")


def test_what_others_say_about_values_can_be_told_without_the_secrets_in_them() -> None:
    values = {
        "db": {"password": "hunter2"},
        "env": [{"name": "TOKEN", "value": "t0ken"}],
        "host": "open",
        "pin": {"secret": "ab"},
    }
    # Two letters are everywhere: to hide them would hide the sentence.
    assert secrets(values) == {"hunter2", "t0ken"}
