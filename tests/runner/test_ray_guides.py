"""The script for SLURM and the manifest for KubeRay in ``docs/cluster``."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from inception_search.store.run_folder import RunFolder
from tests.study.programs import ROOT, kill_group
from tests.study.spaces import TINY

FOLDER = ROOT / "docs" / "cluster"
SMALL = "baselines: false\ntrain_images: 64\nimage_size: 8\ndevice: cpu\ntrials: 3\nepochs: 2\nspace: tiny.yaml\n"
# srun runs the command; its options choose nodes, of which there is one here
SRUN = '#!/bin/bash\nwhile [[ "$1" == --* ]]; do shift; done\nexec "$@"\n'
SCONTROL = "#!/bin/bash\necho 127.0.0.1; echo 127.0.0.1\n"


def on_path(folder: Path) -> None:
    """The programs that the script calls."""
    run = "from inception_search.cli.main import run; run()"
    programs = {
        "srun": SRUN,
        "scontrol": SCONTROL,
        "ray": f'#!/bin/bash\nexec {sys.executable} -m ray.scripts.scripts "$@"\n',
        "inception-search": f'#!/bin/bash\nexec {sys.executable} -c "{run}" "$@"\n',
    }
    folder.mkdir()
    for name, text in programs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_script_for_slurm_searches_and_resumes_on_two_nodes(tmp_path):
    pytest.importorskip("ray")
    on_path(tmp_path / "bin")
    (tmp_path / "tiny.yaml").write_text(TINY)
    (tmp_path / "search.yaml").write_text(SMALL)
    environment = {
        **os.environ,
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "SLURM_JOB_NODELIST": "node[1-2]",
        "SLURM_JOB_NUM_NODES": "2",
        "SLURM_CPUS_PER_TASK": "1",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # listen on the loopback address
    }
    script = ["bash", str(FOLDER / "ray.sbatch"), "run"]
    for arguments, trained in ([*script, "search.yaml"], 3), (script, 3):
        program = subprocess.Popen(
            arguments,
            cwd=tmp_path,
            env={**environment, "RAY_PORT": str(free_port())},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            printed, _ = program.communicate(timeout=300)
        finally:
            kill_group(program)
        assert program.returncode == 0, printed
        assert len(RunFolder.open(tmp_path / "run").records()) == trained


def test_the_manifest_for_kuberay_is_a_ray_cluster():
    manifest: Any = yaml.safe_load((FOLDER / "raycluster.yaml").read_text(encoding="utf-8"))
    assert (manifest["apiVersion"], manifest["kind"]) == ("ray.io/v1", "RayCluster")
    spec = manifest["spec"]
    (workers,) = spec["workerGroupSpecs"]
    assert workers["minReplicas"] <= workers["replicas"] <= workers["maxReplicas"]
    for group in (spec["headGroupSpec"], workers):
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        pod = group["template"]["spec"]
        (container,) = pod["containers"]
        assert {each["name"] for each in container["env"]} == {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN"}
        mounted = {each["name"] for each in container.get("volumeMounts", ())}
        assert mounted == {each["name"] for each in pod.get("volumes", ())}
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert f"ray=={spec['rayVersion']}" in constraints
