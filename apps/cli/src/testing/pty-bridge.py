"""Runs a program as the foreground job of a terminal of its own, as a shell would: `pty-bridge.py ROWS COLUMNS PROGRAM [ARGUMENT]…`.

Each line of standard input is a command as JSON: {"input": base64}, {"resize": [rows, columns]}, {"signal": number},
{"continue": true}. Each line of standard output is what happened: {"output": base64}, {"stopped": signal}, {"ended": exit code
or minus signal}. Standard output of the program goes into the file that the variable BRIDGE_OUT names, if it names one.
"""

import base64, fcntl, json, os, pty, select, signal, struct, sys, termios


def tell(**what):
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def resize(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


rows, columns, *argv = sys.argv[1:]
os.setsid()
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
resize(master, int(rows), int(columns))
signal.signal(signal.SIGTTOU, signal.SIG_IGN)

child = os.fork()
if child == 0:
    os.setpgid(0, 0)
    os.tcsetpgrp(slave, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    for fd in (0, 1, 2):
        os.dup2(slave, fd)
    out = os.environ.pop("BRIDGE_OUT", "")
    if out:
        os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
    os.closerange(3, 64)
    os.execvp(argv[0], argv)


def foreground():
    try:
        os.setpgid(child, child)
    except OSError:
        pass
    os.tcsetpgrp(slave, child)


def run():
    pending = b""
    sources = [master, 0]
    while True:
        ready, _, _ = select.select(sources, [], [], 0.01)
        if master in ready:
            tell(output=base64.b64encode(os.read(master, 65536)).decode())
        if 0 in ready:
            data = os.read(0, 65536)
            if not data:
                # Whoever uses the terminal is gone.
                os.kill(child, signal.SIGKILL)
                sources.remove(0)
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                command = json.loads(line)
                if "input" in command:
                    os.write(master, base64.b64decode(command["input"]))
                elif "resize" in command:
                    resize(master, *command["resize"])
                elif "signal" in command:
                    os.kill(child, command["signal"])
                else:
                    foreground()
                    os.killpg(child, signal.SIGCONT)
        pid, status = os.waitpid(child, os.WNOHANG | os.WUNTRACED)
        if pid == 0:
            continue
        while select.select([master], [], [], 0.05)[0]:
            tell(output=base64.b64encode(os.read(master, 65536)).decode())
        if os.WIFSTOPPED(status):
            tell(stopped=os.WSTOPSIG(status), raw=not (termios.tcgetattr(slave)[3] & termios.ICANON))
        else:
            raw = not (termios.tcgetattr(slave)[3] & termios.ICANON)
            tell(ended=os.waitstatus_to_exitcode(status), raw=raw)
            return


run()
