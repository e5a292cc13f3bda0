"""One connection to a broker: ZeroMQ with CURVE, whole frames in and out."""
import time

import zmq
from zmq.utils.monitor import recv_monitor_message

NO_ANSWER = "no answer: the key is not let in (handshake refused)"


class Silence(Exception):
    """Nothing came in time."""


class NotLetIn(Silence):
    """The handshake was refused."""


class Link:
    """One DEALER with CURVE, and a monitor that sees handshakes fail."""

    def __init__(self, endpoint, server, secret, public):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.SNDHWM, 0)
        self.socket.setsockopt(zmq.CURVE_SERVERKEY, server)
        self.socket.setsockopt(zmq.CURVE_SECRETKEY, secret)
        self.socket.setsockopt(zmq.CURVE_PUBLICKEY, public)
        self.monitor = self.socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_DISCONNECTED)
        self.socket.connect(endpoint)

    def send(self, data):
        self.socket.send(data)

    def receive(self, seconds):
        """The next frame's bytes; None when none came in time. NotLetIn when the handshake is refused."""
        poller = zmq.Poller()
        poller.register(self.socket, zmq.POLLIN)
        poller.register(self.monitor, zmq.POLLIN)
        end = time.monotonic() + seconds
        while True:
            ready = dict(poller.poll(max(0, end - time.monotonic()) * 1000))
            if self.socket in ready:
                return self.socket.recv()
            if not ready:
                return None
            if recv_monitor_message(self.monitor)["event"] == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
                raise NotLetIn(NO_ANSWER)

    def dropped(self, seconds):
        """Whether the other side hangs up in time."""
        end = time.monotonic() + seconds
        while self.monitor.poll(max(0, end - time.monotonic()) * 1000):
            if recv_monitor_message(self.monitor)["event"] == zmq.EVENT_DISCONNECTED:
                return True
        return False

    def close(self):
        self.socket.disable_monitor()
        self.socket.close()
        self.context.destroy(linger=0)
