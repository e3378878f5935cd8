"""The log's file: rotated by size, and written on when it cannot be."""

from __future__ import annotations

import shutil

from sendoff_serving.log import FileSink


def test_a_full_file_is_moved_aside_and_the_oldest_goes(tmp_path) -> None:
    file = tmp_path / "service.log"
    sink = FileSink(file, max_bytes=10, files=3)
    for line in ("first\n", "second\n", "third\n", "fourth\n"):
        sink.write(line)
    sink.close()
    texts = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert texts == {"service.log": "fourth\n", "service.log.1": "third\n", "service.log.2": "second\n"}


def test_a_folder_that_is_removed_loses_its_lines_and_no_others(tmp_path) -> None:
    folder = tmp_path / "logs"
    sink = FileSink(folder / "service.log", max_bytes=10, files=3)
    sink.write("first\n")
    shutil.rmtree(folder)
    sink.write("second\n")  # the file cannot be opened anew: the writer goes on
    folder.mkdir()
    sink.write("third and long\n")
    sink.write("fourth\n")
    sink.close()
    assert (folder / "service.log").read_text() == "fourth\n"
