"""What a study says of its data: skewed classes and files passed over, in the terminal, the study and the report."""

from pathlib import Path

import yaml

from inception_search.api import write_study_report
from inception_search.study.search import search
from tests.study.conftest import Watch
from tests.study.spaces import TINY
from tests.torch.datasets_on_disk import write_pictures


def test_a_study_says_how_it_read_its_data(tmp_path: Path) -> None:
    pictures = write_pictures(tmp_path / "parts", {"bad": 5, "ok": 60})
    (pictures / "ok" / "list.csv").write_text("")
    watch = Watch()
    options = {"epochs": 1, "image_size": 8, "baselines": False, "workers": 1, "trials": 1, "batch_size": 8}
    run = tmp_path / "run"
    study = search(TINY, data="image_folder", data_root=pictures, run=run, observer=watch, **options)
    passed = "image_folder: files passed over, for their ending: 1 (.csv: 1)"
    skewed = (
        "the classes are skewed: ok has 42 training images and bad 3; "
        "a network that always answers ok has an accuracy of 93 %"
    )
    assert watch.notes[0] == passed
    assert watch.notes[1].startswith(skewed)
    assert study.notes == tuple(watch.notes[:2])
    assert yaml.safe_load((run / "study.yaml").read_text())["facts"]["notes"] == watch.notes[:2]
    write_study_report(study.run)
    report = (run / "report.html").read_text()
    assert f"I{passed[1:]}. T{skewed[1:]}" in report
