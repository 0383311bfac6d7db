"""What a file may ask for, by where it stands; and secrets, which are found only where they may be."""

from pathlib import Path

import pytest

from config.load import ConfigError, load
from config.secret import Secret, SecretError

MAIN = 'version: 1\nendpoints:\n  web: {url: "https://example.org/"}\n'


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o644)
    return folder / "nines.yaml"


def refusals(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load(path)
    return [f"{Path(p.file).name}:{p.line} {p.path}: {p.message}" for p in refused.value.problems]


def tenant(folder: Path, text: str, main: str = "") -> Path:
    return write(folder, nines=MAIN + "include: {path: tenants, trust: tenant}\n" + main, tenants__acme=text)


def test_a_tenants_endpoints_are_marked(tmp_path: Path) -> None:
    config = load(tenant(tmp_path, 'endpoints:\n  shop: {url: "https://shop.example.org/"}\n'))
    assert {name: endpoint.tenant for name, endpoint in config.endpoints.items()} == {"web": False, "shop": True}


def test_a_tenant_may_reach_the_networks_that_the_main_file_allows(tmp_path: Path) -> None:
    shop = 'endpoints:\n  shop: {url: "http://10.1.2.3/"}\n'
    config = load(tenant(tmp_path, shop, main="allow_private: [10.1.0.0/16]\n"))
    assert config.endpoints["shop"].allow_private == ("10.1.0.0/16",)
    assert config.endpoints["web"].allow_private == ()


@pytest.mark.parametrize("host", ["10.0.0.1", "127.0.0.1", "localhost", "[::1]", "169.254.169.254", "192.168.0.1"])
def test_a_tenant_names_no_private_address(tmp_path: Path, host: str) -> None:
    assert refusals(tenant(tmp_path, f'endpoints:\n  shop: {{url: "http://{host}/"}}\n')) == [
        "acme.yaml:2 endpoints.shop.url: a tenant's file names no private address; "
        "name a public host, or ask for allow_private"
    ]


def test_a_tenant_reads_no_secrets_and_no_files(tmp_path: Path) -> None:
    text = (
        "endpoints:\n  shop:\n    url: https://shop.example.org/\n    ca_file: ca.pem\n"
        '    headers: {Authorization: "${NINES_SECRET_X}", X-Key: "file:key"}\n'
    )
    (tmp_path / "ca.pem").touch()
    assert refusals(tenant(tmp_path, text)) == [
        "acme.yaml:4 endpoints.shop.ca_file: a tenant's file reads no other file; leave it out",
        "acme.yaml:5 endpoints.shop.headers.Authorization: a tenant's file reads no secrets; leave the header out",
        "acme.yaml:5 endpoints.shop.headers.X-Key: a tenant's file reads no secrets; leave the header out",
    ]


def test_a_tenant_writes_endpoints_and_services_only(tmp_path: Path) -> None:
    assert refusals(tenant(tmp_path, "clients:\n  acme: {name: Acme}\n")) == [
        "acme.yaml:1 clients: a tenant's file holds endpoints and services only; move it"
    ]


@pytest.mark.parametrize("key", ["secrets_dir: x", "allow_private: true", "include: {path: y}", "journal: {anchor: z}"])
def test_powers_stand_in_the_main_file_only(tmp_path: Path, key: str) -> None:
    path = write(tmp_path, nines=MAIN, other=f"{key}\n")
    said = refusals(tmp_path)
    assert f"other.yaml:1 {key.split(':')[0]}: stands in the main file only; move it there" in said
    assert load(path).secrets_dir is None


def test_the_journal_s_anchors_are_kept_beside_the_main_file_or_in_the_system_s_log(tmp_path: Path) -> None:
    assert load(write(tmp_path, nines=MAIN)).journal.anchor is None
    here = load(write(tmp_path, nines=MAIN + "journal: {anchor: nines.anchors}\n"))
    assert here.journal.anchor == str(tmp_path / "nines.anchors")
    assert load(write(tmp_path, nines=MAIN + "journal: {anchor: /mnt/x}\n")).journal.anchor == "/mnt/x"
    assert load(write(tmp_path, nines=MAIN + "journal: {anchor: syslog}\n")).journal.anchor == "syslog"


def test_a_main_file_that_others_may_write_grants_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, nines=MAIN + "secrets_dir: secrets\n")
    assert load(path).secrets_dir == str(tmp_path / "secrets")
    path.chmod(0o664)
    assert refusals(path) == [
        f"nines.yaml:4 secrets_dir: others may write this file, so it cannot grant this; run chmod go-w {path}"
    ]


def test_a_main_file_without_powers_may_be_its_groups(tmp_path: Path) -> None:
    path = write(tmp_path, nines=MAIN)
    path.chmod(0o664)
    assert load(path).endpoints


def test_a_folder_is_merged_in_name_order_and_refuses_what_is_there_twice(tmp_path: Path) -> None:
    write(
        tmp_path,
        nines=MAIN,
        clients="version: 1\nclients:\n  acme: {}\n",
        more='endpoints:\n  api: {url: "tcp://a:1"}\n',
    )
    config = load(tmp_path)
    assert (list(config.endpoints), list(config.clients)) == (["api", "web"], ["acme"])
    write(tmp_path, zz='endpoints:\n  web: {url: "tcp://b:1"}\n')
    assert refusals(tmp_path) == [
        f"zz.yaml:2 endpoints.web: is here a second time (first in {tmp_path}/nines.yaml:3); keep one"
    ]


def test_an_include_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert refusals(write(tmp_path, nines=MAIN + "include: [{path: nowhere.yaml}]\n")) == [
        f"nines.yaml:4 include: {tmp_path}/nowhere.yaml: no such file, or a folder without .yaml files"
    ]


def test_a_secret_comes_from_its_folder_or_its_variable(tmp_path: Path) -> None:
    (tmp_path / "smtp").write_text("hunter2\n")
    assert Secret("file:smtp").reveal(tmp_path, {}) == "hunter2"
    assert Secret("Bearer ${NINES_SECRET_A}").reveal(None, {"NINES_SECRET_A": "abc"}) == "Bearer abc"
    assert Secret("application/json").reveal(None, {}) == "application/json"


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("file:nothing", "file:nothing cannot be read from"),
        ("file:../outside", "file:../outside points outside"),
        ("file:link", "file:link points outside"),
        ("${NINES_SECRET_B}", "${NINES_SECRET_B} is not set in the environment"),
        ("${HOME}", "${HOME} is not read"),
    ],
)
def test_a_secret_that_is_not_there_or_not_allowed_says_so(tmp_path: Path, reference: str, said: str) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (tmp_path / "outside").write_text("no")
    (folder / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(SecretError, match="^" + said.replace("$", r"\$").replace("{", r"\{")):
        Secret(reference).reveal(folder, {"HOME": "/root"})


def test_a_file_secret_without_a_folder_says_where_to_name_one() -> None:
    with pytest.raises(SecretError, match="set secrets_dir in the main file, or CREDENTIALS_DIRECTORY"):
        Secret("file:smtp").reveal(None, {})


def test_a_secret_written_out_is_never_shown() -> None:
    assert "hunter2" not in repr(Secret("hunter2")) + str(Secret("hunter2"))
