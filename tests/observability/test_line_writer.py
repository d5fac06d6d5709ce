import io
import threading
import time

from tenantry.observability import LineWriter


class Stuck(io.StringIO):
    def __init__(self):
        super().__init__()
        self.may_write = threading.Event()

    def write(self, text):
        self.may_write.wait(5)
        return super().write(text)


def test_lines_are_written_after_the_interval_without_being_asked():
    out = io.StringIO()
    writer = LineWriter(out, interval=0.01)
    writer.write("one\n")
    writer.write("two\n")
    deadline = time.monotonic() + 2
    while out.getvalue() != "one\ntwo\n" and time.monotonic() < deadline:
        time.sleep(0.005)
    assert out.getvalue() == "one\ntwo\n"
    writer.close()


def test_closing_writes_the_rest_at_once():
    out = io.StringIO()
    writer = LineWriter(out, interval=60)
    for n in range(1000):
        writer.write(f"{n}\n")
    began = time.monotonic()
    writer.close()
    writer.close()
    assert time.monotonic() - began < 1
    assert out.getvalue() == "".join(f"{n}\n" for n in range(1000))


def test_no_line_of_many_threads_is_lost():
    out = io.StringIO()
    writer = LineWriter(out, interval=0.001)
    threads = [threading.Thread(target=lambda: [writer.write("x\n") for _ in range(2000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    assert out.getvalue() == "x\n" * 8000


def test_a_reader_that_stands_still_blocks_nobody_and_costs_bounded_memory():
    out = Stuck()
    writer = LineWriter(out, interval=0.001, max_lines=10)
    writer.write("first\n")
    time.sleep(0.05)
    began = time.monotonic()
    for _ in range(1000):
        writer.write("x\n")
    assert time.monotonic() - began < 1
    assert writer.dropped == 990
    out.may_write.set()
    writer.close()
    assert out.getvalue() == "first\n" + "x\n" * 10


def test_a_closed_stream_does_not_end_the_writer():
    out = io.StringIO()
    writer = LineWriter(out, interval=0.001)
    out.close()
    writer.write("lost\n")
    time.sleep(0.02)
    writer.write("lost too\n")
    writer.close()
    assert writer.dropped == 0
