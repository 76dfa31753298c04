"""Programs whose questions the kernel refuses to answer."""

import errno

import harness
import programs


def refusing(t, questions, program, *args, error=errno.EPERM, **options):
    refuse = programs.compile("prog_refuse", harness.BUILD)
    return t.start(refuse, error, ",".join(questions), programs.compile(program, harness.BUILD), *args, **options)
