import queue
import smtplib
import sys

from drive import bursts

sessions = queue.LifoQueue()


def send():
    while True:
        try:
            session = sessions.get_nowait()
        except queue.Empty:
            session = smtplib.SMTP("127.0.0.1", int(sys.argv[1]), "here")
        try:
            if session.noop()[0] != 250:
                raise smtplib.SMTPServerDisconnected
            sessions.put(session)
            return
        except (OSError, smtplib.SMTPException):
            session.close()


bursts(send)
