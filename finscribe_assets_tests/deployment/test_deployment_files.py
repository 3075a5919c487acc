"""The deployment's files agree with each other and with the package, as far as no container engine is needed."""

import re
import shutil
import subprocess
import sys

import pytest
import yaml

from finscribe_assets.rendering.system_packages import FONT_PACKAGES, LIBRARY_PACKAGES

from .compose_processes import DEPLOYMENT, ROOT, load_compose

SERVICE_KEYS = {  # of the compose specification, as far as they are used here: a misspelt key is an error there
    "build", "cap_drop", "command", "depends_on", "deploy", "environment", "healthcheck", "image", "init", "networks",
    "ports", "read_only", "restart", "security_opt", "shm_size", "tmpfs", "volumes",
}  # fmt: skip
PASSWORD = {"FINSCRIBE_POSTGRES_PASSWORD": "secret"}


def example_variables() -> set[str]:
    lines = (DEPLOYMENT / ".env.example").read_text().splitlines()
    return {line.split("=")[0] for line in lines if line and not line.startswith("#")}


def dockerfile_instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", (DEPLOYMENT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip()]


def test_without_a_password_nothing_starts():
    with pytest.raises(ValueError, match="FINSCRIBE_POSTGRES_PASSWORD is not set"):
        load_compose({})


def test_the_compose_file_refers_to_what_it_declares():
    compose = load_compose(PASSWORD)
    services = compose["services"]
    assert set(compose) == {"name", "x-environment", "x-service", "services", "volumes", "networks"}
    for name, service in services.items():
        assert service.keys() <= SERVICE_KEYS, name
        assert set(service["networks"]) <= compose["networks"].keys(), name
        assert set(service.get("depends_on", {})) <= services.keys(), name
        for needed in service.get("depends_on", {}):
            assert "healthcheck" in services[needed], f"{name} waits until {needed} is healthy"
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (DEPLOYMENT / source).exists() or source == "./proxy/htpasswd"
        assert ":latest" not in service["image"] and ":" in service["image"], name
    assert load_compose(PASSWORD, "compose.gpu.yaml")["services"]["code"].keys() <= SERVICE_KEYS


def test_every_variable_stands_in_the_example():
    used = {
        name
        for file in ("compose.yaml", "compose.gpu.yaml")
        for name in re.findall(r"\$\{(\w+)", (DEPLOYMENT / file).read_text())
    }
    assert used == example_variables()


def test_only_the_proxy_can_be_reached_from_outside_and_it_asks_for_a_password():
    services = load_compose(PASSWORD)["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]
    assert services["proxy"]["ports"] == ["127.0.0.1:8080:8080"]
    proxy = (DEPLOYMENT / "proxy" / "nginx.conf").read_text()
    assert "auth_basic_user_file /etc/nginx/htpasswd;" in proxy
    assert "proxy_pass http://webserver:3000;" in proxy


def test_the_instance_reads_only_variables_that_every_service_is_given():
    services = load_compose(PASSWORD)["services"]
    needed = {
        name
        for file in ("dagster.yaml", "dagster-s3.yaml", "workspace.yaml")
        for name in re.findall(r"env: (\w+)", (DEPLOYMENT / file).read_text())
    }
    for name in ("code", "webserver", "daemon"):
        assert needed <= services[name]["environment"].keys(), name


def test_both_instance_files_differ_only_in_the_logs_of_steps():
    plain, on_s3 = (yaml.safe_load((DEPLOYMENT / name).read_text()) for name in ("dagster.yaml", "dagster-s3.yaml"))
    assert on_s3.pop("compute_logs")["class"] == "S3ComputeLogManager"
    assert on_s3 == plain
    shipped = yaml.safe_load((ROOT / "dagster.yaml").read_text())
    own = {"storage": None, "retention": None, "run_coordinator": None}
    assert {**plain, **own} == {**shipped, **own}


def test_the_image_is_built_from_files_that_are_there_and_runs_without_root():
    instructions = dockerfile_instructions()
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for kind, rest in instructions:
        if kind == "COPY":
            for source in rest.replace("${DAGSTER_YAML}", "dagster.yaml").split()[:-1]:
                assert (ROOT / source).exists(), source
                assert f"!{source.split('/')[0]}" in ignored, f"{source} is not sent to the build"
        if kind == "RUN" and "apt-get install" in rest:
            assert rest.count("--no-install-recommends") == rest.count("apt-get install")
            assert rest.endswith("rm -rf /var/lib/apt/lists/*")
    stages = [index for index, (kind, _) in enumerate(instructions) if kind == "FROM"]
    for start, stop in zip(stages, [*stages[1:], len(instructions)], strict=True):
        assert [rest for kind, rest in instructions[start:stop] if kind == "USER"][-1] == "finscribe"
    built = {rest.split(" AS ")[1] for kind, rest in instructions if kind == "FROM"}
    targets = {
        load_compose(PASSWORD, file)["services"]["code"]["build"]["target"]
        for file in ("compose.yaml", "compose.gpu.yaml")
    }
    assert targets == built


def test_the_image_gets_all_libraries_and_fonts(tmp_path):
    """The image's first layer has only a few files of the package; they must be able to name all Debian packages."""
    for kind, rest in dockerfile_instructions():
        if kind == "COPY" and rest.endswith((" finscribe_assets/", " finscribe_assets/rendering/")):
            *sources, target = rest.split()
            (tmp_path / target).mkdir(exist_ok=True)
            for source in sources:
                shutil.copy(ROOT / source, tmp_path / target)
    (tmp_path / "fc-list").symlink_to("/bin/true")  # as in an image without fonts
    done = subprocess.run(
        [sys.executable, "-S", "-m", "finscribe_assets.rendering.system_packages"],
        cwd=tmp_path,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(FONT_PACKAGES.values()) <= set(done.stdout.split())
    assert set(done.stdout.split()) <= {*FONT_PACKAGES.values(), *LIBRARY_PACKAGES.values()}
