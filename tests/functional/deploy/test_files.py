"""The files of deploy/: checked by the programs that read them, or by the schemas of those that are not here."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from config.settings import Settings
from routing.broker import HEARTBEAT_SECONDS
from routing.queues import names
from tests.functional.deploy import units
from tests.functional.deploy.site import DEPLOY, run
from tests.integration.servers import missing
from workers.credentials.roles import EVERYTHING, Process, teams_of
from workers.credentials.writing import Installation, write
from workers.worker import NothingToServeError, chosen_queues

MOST_EXPOSED = 13
"""Ten times what `systemd-analyze security` may say at most, of a hundred. 0.5 of it are the network, without which
nothing works."""

SERVICES = sorted(path.name for path in units.FOLDER.glob("*.service"))
UNITS = sorted(path.name for path in units.FOLDER.iterdir())
KUBERNETES = DEPLOY / "kubernetes"
KUBERNETES_VERSION = "1.31"


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of credentials for the containers of the compose file."""
    folder = tmp_path_factory.mktemp("credentials")
    for broker in ("redis://redis:6379/0", "amqp://rabbitmq:5672"):
        write(folder, Installation(name="shabarman", database="postgresql://postgresql:5432", broker=broker))
    return folder


def systemd_analyze(*arguments: str) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        missing("systemd-analyze")
    assert program is not None
    finished = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    # It says what it doubts without an exit code.
    assert (finished.returncode, finished.stderr) == (0, ""), finished.stdout + finished.stderr


def test_systemd_understands_every_unit(tmp_path: Path) -> None:
    for name in UNITS:
        text = (units.FOLDER / name).read_text(encoding="utf-8")
        # The program itself is looked for where it will be; here it is in the environment of the tests.
        text = text.replace("/opt/shabarman/bin/shabarman", f"{Path(sys.executable).parent}/shabarman")
        (tmp_path / name).write_text(text, encoding="utf-8")
    systemd_analyze("verify", "--man=no", *(str(tmp_path / name.replace("@.", "@1.")) for name in UNITS))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_hardly_anything(name: str) -> None:
    systemd_analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(units.FOLDER / name))


def test_every_unit_starts_what_the_command_line_has() -> None:
    help_ = run(sys.executable, "-m", "workers.cli", "--help", env=os.environ | {"COLUMNS": "200"})
    for name in SERVICES:
        (line,) = units.read(name)["ExecStart"]
        program, command, *_ = shlex.split(line)
        assert program == "/opt/shabarman/bin/shabarman"
        assert re.search(rf"\b{command}\b", help_), name


def test_a_stop_has_the_time_that_it_needs() -> None:
    """A task may run for a minute; the worker is not killed before."""
    (seconds,) = units.read("shabarman-worker@.service")["TimeoutStopSec"]
    assert int(seconds) > 60
    (document,) = [part for part in parts("worker.yaml") if part["kind"] == "Deployment"]
    assert document["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > 60


def test_the_shared_settings_are_settings() -> None:
    """Each line that is commented out could be used as it stands."""
    lines = (DEPLOY / "environment" / "shabarman.env").read_text(encoding="utf-8").splitlines()
    offered = dict(shlex.split(line[1:])[0].split("=", 1) for line in lines if re.match(r"#[A-Z_]+=", line))
    fields = {name.removeprefix("SHABARMAN_").lower(): value for name, value in offered.items()}
    assert fields.keys() <= Settings.model_fields.keys()
    assert Settings.model_validate(fields)


def test_each_process_gets_what_it_needs_and_no_more(credentials: Path) -> None:
    found = {
        path.stem: {
            line.partition("=")[0] for line in path.read_text(encoding="utf-8").splitlines() if line[0] != "#"
        }
        for path in (credentials / "environment").iterdir()
    }
    database, broker, secret = "SHABARMAN_DATABASE_URL", "SHABARMAN_BROKER_URL", "SHABARMAN_SECRET"
    assert found == {
        "web": {database, broker},
        "relay": {database, broker, secret},
        "worker": {database, broker, secret, "WORKER_OPTIONS"},
        "beat": {broker, secret},
        "flower": {broker, "SHABARMAN_FLOWER_AUTH"},
        "migrate": {database},
        "backup": {database},
        "archive": {database},
    }
    assert found.keys() == {process.value for process in Process}


def test_a_repeat_keeps_the_passwords_and_nobody_else_reads_them(tmp_path: Path) -> None:
    wanted = Installation(name="shabarman", database="postgresql://db", broker="redis://broker")
    write(tmp_path, wanted)
    before = {path: path.read_text(encoding="utf-8") for path in (tmp_path / "environment").iterdir()}
    write(tmp_path, wanted)
    assert {path: path.read_text(encoding="utf-8") for path in (tmp_path / "environment").iterdir()} == before
    for path in (*before, tmp_path / "passwords.json"):
        assert path.stat().st_mode & 0o077 == 0, path
    # What servers get holds no password.
    passwords = json.loads((tmp_path / "passwords.json").read_text(encoding="utf-8")).values()
    for path in (tmp_path / "redis" / "users.acl", tmp_path / "postgresql" / "roles.sql"):
        assert not any(password in path.read_text(encoding="utf-8") for password in passwords)


def test_teams_share_all_queues_and_none_twice() -> None:
    teams = teams_of(["aksu", "ile"])
    assert [team.name for team in teams] == ["aksu", "ile", EVERYTHING.name]
    assert sorted(queue for team in teams for queue in team.served) == sorted(names())
    # Their options mean the same to the worker.
    *own, rest = teams
    assert set(chosen_queues([], excepted=rest.queues)) == set(rest.served)
    for team in own:
        assert set(chosen_queues(team.queues)) == set(team.served)
    with pytest.raises(NothingToServeError):
        chosen_queues(["upkeep"], excepted=["upkeep"])


def test_rabbitmq_and_its_clients_agree_how_long_one_may_be_silent() -> None:
    settings = (DEPLOY / "rabbitmq" / "rabbitmq.conf").read_text(encoding="utf-8")
    (seconds,) = re.findall(r"^heartbeat = (\d+)$", settings, re.MULTILINE)
    assert int(seconds) == HEARTBEAT_SECONDS


def test_compose_understands_its_file(credentials: Path, tmp_path: Path) -> None:
    # A copy: the credentials stand beside the file.
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    shutil.copytree(credentials, tmp_path / "deploy" / "docker" / "credentials")
    shown = run(*compose(), "-f", str(tmp_path / "deploy" / "docker" / "compose.yaml"), *PROFILES, "config")
    services = yaml.safe_load(shown)["services"]
    assert services.keys() >= {
        *("migrate", "web", "relay", "worker", "beat", "flower", "archive", "postgresql", "redis", "rabbitmq")
    }
    for name in ("web", "relay", "worker", "beat", "flower", "archive", "migrate"):
        service = services[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert ("SHABARMAN_SECRET" in service["environment"]) is (name in {"relay", "worker", "beat"})
    # It listens to more than itself, behind a sign-in, and the machine alone reaches it.
    flower = services["flower"]
    assert flower["environment"]["SHABARMAN_FLOWER_HOST"] == "0.0.0.0"  # noqa: S104 - of its container
    assert ":" in flower["environment"]["SHABARMAN_FLOWER_AUTH"]
    (port,) = flower["ports"]
    # Versions of compose show it in two ways.
    assert str(port).startswith("127.0.0.1:5555:5555") or (port["host_ip"], port["target"]) == (
        "127.0.0.1",
        5555,
    )
    for name in ("web", "relay", "worker", "beat", "flower"):
        assert services[name]["healthcheck"]["test"], name
    for service in services.values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0] if isinstance(volume, str) else volume["source"]
            assert not source.startswith("/") or Path(source).exists(), source


def test_compose_archives_into_a_volume_that_the_pages_may_only_read(
    credentials: Path, tmp_path: Path
) -> None:
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    shutil.copytree(credentials, tmp_path / "deploy" / "docker" / "credentials")
    file = str(tmp_path / "deploy" / "docker" / "compose.yaml")
    shown = yaml.safe_load(run(*compose(), "-f", file, *PROFILES, "config"))
    service, folder = shown["services"]["archive"], "/var/lib/shabarman-archive"
    assert service["profiles"] == ["archive"], "it does not start with the others"
    assert service["command"] == ["archive"]
    assert service["restart"] == "no"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["environment"]["SHABARMAN_ARCHIVE_FOLDER"] == folder
    assert "shabarman_archive:" in service["environment"]["SHABARMAN_DATABASE_URL"]
    assert "SHABARMAN_SECRET" not in service["environment"]
    assert "archive" in shown["volumes"]
    assert mounted(service, folder) == ("archive", False)
    assert mounted(shown["services"]["web"], folder) == ("archive", True)
    text = (DEPLOY / "docker" / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(rf"install -d -o 10001 -g 10001 -m 700 {folder}$", text, re.MULTILINE)


def mounted(service: dict[str, Any], folder: str) -> tuple[str, bool]:
    """Return which volume a service has at `folder`, and whether it may only read it."""
    found = []
    for volume in service["volumes"]:
        if isinstance(volume, str):
            source, target, *options = volume.split(":")
            found.append((source, target, "ro" in options))
        else:
            found.append((volume["source"], volume["target"], volume.get("read_only", False)))
    ((source, read_only),) = [(source, read_only) for source, target, read_only in found if target == folder]
    return source, read_only


PROFILES = ("--profile", "redis", "--profile", "rabbitmq", "--profile", "archive")


def compose() -> tuple[str, ...]:
    """Return the command for compose files, as a part of docker or as a program of its own."""
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0:
        return ("docker", "compose")
    if shutil.which("docker-compose") is None:
        missing("docker compose")
    return ("docker-compose",)


def test_the_image_is_built_from_what_the_builder_gets() -> None:
    text = (DEPLOY / "docker" / "Dockerfile").read_text(encoding="utf-8")
    let_in = (DEPLOY / "docker" / "Dockerfile.dockerignore").read_text(encoding="utf-8")
    copied = re.findall(r"^COPY (?!--)(\S+) ", text, re.MULTILINE)
    assert sorted(copied) == sorted(re.findall(r"^!(\S+)$", let_in, re.MULTILINE))
    assert re.search(r"^USER \d+", text, re.MULTILINE), "nothing runs as root"


def parts(name: str) -> list[dict[str, Any]]:
    """Return the documents of one file of Kubernetes."""
    return [part for part in yaml.safe_load_all((KUBERNETES / name).read_text(encoding="utf-8")) if part]


def pods() -> dict[str, dict[str, Any]]:
    """Return the pods that are described, by name of what makes them."""
    found = {}
    for path in KUBERNETES.glob("*.yaml"):
        for part in parts(path.name):
            spec = part.get("spec", {})
            spec = spec.get("jobTemplate", {}).get("spec", spec)
            if "containers" in spec.get("template", {}).get("spec", {}):
                found[part["metadata"]["name"]] = spec["template"]["spec"]
    return found


RESOURCES = parts("kustomization.yaml")[0]["resources"]


@pytest.mark.parametrize("name", RESOURCES)
def test_kubernetes_knows_every_field(name: str) -> None:
    for part in parts(name):
        kubernetes_validate.validate(part, KUBERNETES_VERSION, strict=True)


def test_nothing_of_kubernetes_is_forgotten() -> None:
    there = {path.name for path in KUBERNETES.glob("*.yaml")} - {
        "kustomization.yaml",
        "prometheus-adapter.yaml",
    }
    assert there == set(RESOURCES)


def test_pods_have_what_the_restricted_standard_asks_for() -> None:
    for name, pod in pods().items():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False, name
            assert context["readOnlyRootFilesystem"] is True, name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), name
            assert "memory" in container["resources"]["limits"], name


def test_whoever_may_be_disturbed_is_there_twice_and_its_credential_is_its_own() -> None:
    generated = {made["name"]: made["envs"] for made in parts("kustomization.yaml")[0]["secretGenerator"]}
    for name, pod in pods().items():
        (secret,) = [
            source["secretRef"]["name"] for source in pod["containers"][0]["envFrom"] if "secretRef" in source
        ]
        assert secret == name
        assert generated[name] == [f"credentials/environment/{name}.env"]
    for name in ("web", "relay", "worker"):
        kinds = {part["kind"]: part["spec"] for part in parts(f"{name}.yaml")}
        assert kinds["Deployment"]["replicas"] >= 2
        assert kinds["Deployment"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
        assert kinds["PodDisruptionBudget"]["maxUnavailable"] == 1
        for kind in ("PodDisruptionBudget", "Service"):
            if kind in kinds:
                wanted = kinds[kind]["selector"]
                labels = kinds["Deployment"]["template"]["metadata"]["labels"]
                assert (wanted.get("matchLabels", wanted)).items() <= labels.items()
        if "HorizontalPodAutoscaler" in kinds:
            assert kinds["HorizontalPodAutoscaler"]["minReplicas"] >= 2


def test_whoever_stands_still_is_seen() -> None:
    """Each process that stays has probes; those of processes without a port are a command that there is."""
    help_ = run(sys.executable, "-m", "workers.cli", "alive", "--help", env=os.environ | {"COLUMNS": "200"})
    for name in ("web", "relay", "worker", "beat", "flower"):
        (container,) = pods()[name]["containers"]
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            probe = container[kind]
            if "exec" not in probe:
                assert probe["httpGet"]["port"] in {port["name"] for port in container["ports"]}
                continue
            program, command, process, *_ = probe["exec"]["command"]
            assert (program, command, process) == ("shabarman", "alive", name)
            assert name in help_
            assert probe["timeoutSeconds"] >= 10, (
                "Python takes a second to start, and the machine may be busy"
            )


def test_flower_is_behind_a_sign_in_and_what_needs_none_is_closed(credentials: Path) -> None:
    (container,) = pods()["flower"]["containers"]
    assert {"name": "SHABARMAN_FLOWER_HOST", "value": "0.0.0.0"} in container["env"]  # noqa: S104 - of its pod
    assert "SHABARMAN_FLOWER_AUTH=" in (credentials / "environment" / "flower.env").read_text(
        encoding="utf-8"
    )
    closed = next(part for part in parts("flower.yaml") if part["metadata"]["name"] == "flower-closed")
    paths = {path["path"] for path in closed["spec"]["rules"][0]["http"]["paths"]}
    assert paths == {"/metrics", "/healthcheck"}
    assert closed["metadata"]["annotations"] == {
        "nginx.ingress.kubernetes.io/whitelist-source-range": "127.0.0.1/32"
    }


def test_autoscaling_asks_for_a_figure_that_there_is() -> None:
    rule = (KUBERNETES / "prometheus-adapter.yaml").read_text(encoding="utf-8")
    (scaler,) = [part for part in parts("worker.yaml") if part["kind"] == "HorizontalPodAutoscaler"]
    assert scaler["spec"]["metrics"][0]["external"]["metric"]["name"] in rule
    assert '"shabarman_messages"' in (DEPLOY.parent / "web" / "metrics.py").read_text(encoding="utf-8")
