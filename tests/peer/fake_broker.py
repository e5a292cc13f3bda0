"""A broker that cannot be trusted: it holds the real broker's keys, and stands between one agent and that broker.

What the agent says goes on to the real broker under the agent's keys; what the broker answers comes back as the
test's `change` makes it. So everything that is not altered is genuine, grounds and signatures included.
"""
import json
import pathlib
import queue
import threading

import zmq

import wire
from identity import Bundle, Keys

UP, DOWN = "up", "down"  # to the broker; to the agent


class FakeBroker(threading.Thread):
    """Runs from start() to stop().

    change(direction, verb, body) gets each frame's message and returns what goes on: the body (altered or not), a
    list of (verb, body) to send instead, or None to hold it back until release().
    """

    def __init__(self, broker_folder, agent_folder, upstream, listen, change):
        super().__init__(daemon=True)
        self.change, self.seen, self.failure = change, [], None
        self.held, self.waiting = [], queue.SimpleQueue()
        self.context = zmq.Context()
        broker, agent = Keys.of_folder(broker_folder), Keys.of_folder(agent_folder)
        self.down = self.context.socket(zmq.ROUTER)
        self.down.curve_server = True
        self._keys(self.down, broker)
        self.up = self.context.socket(zmq.DEALER)
        self._keys(self.up, agent)
        self.up.setsockopt(zmq.CURVE_SERVERKEY, Bundle.of_folder(agent_folder).broker().transport)
        for socket in (self.down, self.up):
            socket.setsockopt(zmq.LINGER, 0)
        self.down.bind(listen)
        self.up.connect(upstream)
        self.route, self.ending = None, threading.Event()

    @staticmethod
    def _keys(socket, keys):
        socket.setsockopt(zmq.CURVE_SECRETKEY, keys.transport)
        socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.transport_public)

    def run(self):
        poller = zmq.Poller()
        poller.register(self.down, zmq.POLLIN)
        poller.register(self.up, zmq.POLLIN)
        while not self.ending.is_set():
            ready = dict(poller.poll(20))
            while not self.waiting.empty():
                self._send(*self.waiting.get())
            if self.down in ready:
                self.route, data = self.down.recv_multipart()
                self.pass_on(UP, data)
            if self.up in ready:
                self.pass_on(DOWN, self.up.recv())
        for socket in (self.down, self.up):
            socket.close()
        self.context.term()

    def pass_on(self, direction, data):
        verb, body, request = wire.decode_frame(data)
        self.seen.append((direction, verb, body))
        try:
            changed = self.change(direction, verb, body)
        except Exception as failure:  # pylint: disable=broad-except
            self.failure, changed = failure, body
        if changed is None:
            self.held.append((direction, verb, body, request))
            return
        for out_verb, out_body in changed if isinstance(changed, list) else [(verb, changed)]:
            self._send(direction, out_verb, out_body, request)

    def send(self, direction, verb, body, request=0):
        """Says something that nobody said."""
        self.waiting.put((direction, verb, body, request))

    def release(self):
        """Lets go what was held back."""
        while self.held:
            self.waiting.put(self.held.pop(0))

    def _send(self, direction, verb, body, request):
        data = wire.frame(verb, body, request)
        if direction == UP:
            self.up.send(data)
        elif self.route is not None:
            self.down.send_multipart([self.route, data])

    def stop(self):
        self.ending.set()
        self.join(10)
        if self.failure:
            raise self.failure

    def frames(self, direction, verb):
        """The messages of one verb that went past, as they came."""
        return [body for way, name, body in list(self.seen) if (way, name) == (direction, verb)]


def redirect(agent_folder, endpoint):
    """Makes an agent dial another address; whom it trusts is settled by the bundle and stays the same."""
    path = pathlib.Path(agent_folder) / "agent.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings["broker"] = endpoint
    path.write_text(json.dumps(settings), encoding="utf-8")
