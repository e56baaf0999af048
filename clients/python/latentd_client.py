"""A client of a latentd daemon: one file, Python 3.8 or newer, nothing but the standard library.

    from latentd_client import Client

    with Client("http://127.0.0.1:8188") as client:
        job = client.submit(open("workflow.json").read())
        for event in job.events():
            if event["type"] == "progress":
                print(f"{event['step']} of {event['steps']}")
        for output in job.outputs():
            output.save(output.filename)

A workflow is ComfyUI's API format, as JSON text or as a dict. `Client` talks ComfyUI's API (/prompt, /history, /view,
/api/jobs) and hears /events, which tells of every job.
"""

import base64
import json
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

__all__ = ["Client", "Job", "Output", "ClientError", "JobFailure"]

#: Seconds between two tries to hear a daemon again, at first and at most.
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
#: Events of a job that are kept for who reads later.
_MAX_KEPT = 500
#: The daemon says that it is alive every 20 seconds.
_SILENCE = 65.0


class ClientError(Exception):
    """What a daemon turned away, or that there is none; `code` is invalid, refused or unreachable."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class JobFailure(Exception):
    """A job that failed or was cancelled (`state`)."""

    def __init__(self, job_id, state, message):
        super().__init__(message)
        self.id = job_id
        self.state = state


class Output:
    """A file that a node saved (`type` is output) or showed (temp)."""

    def __init__(self, client, node, entry):
        self._client = client
        self.node = node
        self.filename = entry["filename"]
        self.subfolder = entry.get("subfolder", "")
        self.type = entry.get("type", "output")

    def read(self):
        """Its bytes, from the daemon."""
        query = urllib.parse.urlencode({"filename": self.filename, "subfolder": self.subfolder, "type": self.type})
        return self._client._ask("/view?" + query)

    def save(self, path):
        """Writes it to a file."""
        with open(path, "wb") as file:
            file.write(self.read())


class Job:
    """A job of the daemon, by its `id`."""

    def __init__(self, client, job_id, feed=None):
        self._client = client
        self._feed = feed
        self.id = job_id

    def events(self):
        """What happens to it, as dicts: all of it after `submit`, for another job from now on.

        {"type": "started"}, {"type": "progress", "step", "steps", "share", "seconds"}, {"type": "preview", "picture"} (the
        bytes of a small PNG), and at last {"type": "over", "state", "error"}, with the state completed, failed or cancelled.
        """
        if self._feed is None:
            self._feed = self._client._follow(self.id)
        return self._feed.events()

    def outputs(self):
        """Waits for its end and gives its files. Raises JobFailure."""
        for event in self.events():
            pass
        if event["state"] != "completed":
            raise JobFailure(self.id, event["state"], event.get("error") or "the job was " + event["state"])
        entry = self._client._history(self.id) or {"outputs": {}}
        return [
            Output(self._client, node, file)
            for node, ui in entry["outputs"].items()
            for files in ui.values()
            for file in files
            if isinstance(file, dict) and "filename" in file
        ]

    def cancel(self):
        """Ends it; False where it is over already, or isn't known."""
        reply = self._client._ask("/api/jobs/%s/cancel" % urllib.parse.quote(self.id, safe=""), b"")
        return json.loads(reply)["cancelled"]


class Client:
    """A daemon at an address; `token` is one of `--http-tokens`, where there are some."""

    def __init__(self, address="http://127.0.0.1:8188", token=None):
        self.address = address.rstrip("/")
        self._token = token
        self._lock = threading.Lock()
        self._feeds = {}
        self._ready = threading.Event()
        self._fault = None
        self._closed = False
        self._stream = None
        self._thread = None

    def submit(self, workflow, id=None):
        """Queues a workflow and gives its Job once that is durable. Raises ClientError."""
        text = workflow if isinstance(workflow, str) else json.dumps(workflow)
        job_id = id or str(uuid.uuid4())
        # Heard before it is asked for, so that nothing of it is missed.
        self._listen()
        feed = self._open_feed(job_id)
        try:
            self._ask("/prompt", ('{"prompt": %s, "prompt_id": %s}' % (text, json.dumps(job_id))).encode())
        except ClientError:
            with self._lock:
                self._feeds.pop(job_id, None)
            raise
        return Job(self, job_id, feed)

    def job(self, job_id):
        """A job that was queued before. Nothing is asked yet."""
        return Job(self, job_id)

    def close(self):
        """Lets go of the connection. Jobs go on; what waits for them raises."""
        self._closed = True
        stream = self._stream
        if stream is not None:
            _shut(stream)
        if self._thread is not None:
            self._thread.join()
        self._tell_all(ClientError("unreachable", "the client was closed"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # What jobs ask.

    def _open_feed(self, job_id):
        with self._lock:
            return self._feeds.setdefault(job_id, _Feed())

    def _follow(self, job_id):
        """The feed of a job, which is told where the job is over by now."""
        self._listen()
        feed = self._open_feed(job_id)
        end = self._end_of(job_id)
        if end is not None:
            self._tell("over", {"id": job_id, "state": end["state"], "error": end["error"]})
        return feed

    def _history(self, job_id):
        return json.loads(self._ask("/history/" + urllib.parse.quote(job_id, safe=""))).get(job_id)

    def _end_of(self, job_id):
        """The last event of a job that is over by now, else None."""
        entry = self._history(job_id)
        if entry is not None:
            faults = [told.get("exception_message") for kind, told in entry["status"]["messages"] if kind == "execution_error"]
            state = "completed" if entry["status"]["completed"] else "failed" if faults else "cancelled"
            return {"type": "over", "state": state, "error": (faults[0] or "").strip() if faults else None}
        try:
            self._ask("/api/jobs/" + urllib.parse.quote(job_id, safe=""))
        except ClientError as error:
            if error.code == "refused":
                return {"type": "over", "state": "cancelled", "error": "there is no job %s, or it was taken out of the queue" % job_id}
            raise
        return None

    # Asking and hearing.

    def _request(self, path, body=None):
        headers = {"Content-Type": "application/json"} if body else {}
        if self._token is not None:
            headers["Authorization"] = "Bearer " + self._token
        return urllib.request.Request(self.address + path, data=body, headers=headers)

    def _ask(self, path, body=None):
        try:
            with urllib.request.urlopen(self._request(path, body)) as reply:
                return reply.read()
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode("utf-8", "replace")
            raise ClientError("invalid" if error.code == 400 else "refused", _fault_of(text) or "%d %s" % (error.code, text[:200])) from None
        except OSError as error:
            raise ClientError("unreachable", "no answer from %s: %s" % (self.address, error)) from error

    def _listen(self):
        """Returns once the daemon's events are heard; they are until `close`. Raises ClientError."""
        with self._lock:
            if self._closed:
                raise ClientError("unreachable", "the client was closed")
            if self._thread is None:
                self._fault = None
                self._ready.clear()
                self._thread = threading.Thread(target=self._hear, name="latentd-events", daemon=True)
                self._thread.start()
            thread = self._thread
        self._ready.wait()
        if self._fault is not None:
            thread.join()
            with self._lock:
                self._thread = None
            raise self._fault

    def _hear(self):
        pause = _FIRST_PAUSE
        while not self._closed:
            try:
                with urllib.request.urlopen(self._request("/events"), timeout=_SILENCE) as stream:
                    self._stream = stream
                    if self._ready.is_set():
                        self._catch_up()
                    self._ready.set()
                    pause = _FIRST_PAUSE
                    self._read(stream)
            except (OSError, ValueError, ClientError) as error:
                if not self._ready.is_set():
                    self._fault = ClientError("unreachable", "no answer from %s: %s" % (self.address, error))
                    self._ready.set()
                    return
            finally:
                self._stream = None
            # Whatever it was, it is tried again; who waits may close.
            time.sleep(0 if self._closed else pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _read(self, stream):
        name, data = "message", []
        for line in stream:
            field, _, value = line.decode("utf-8").rstrip("\n").partition(":")
            value = value[1:] if value.startswith(" ") else value
            if field == "event":
                name = value
            elif field == "data":
                data.append(value)
            elif field == "" and value == "" and data:
                self._tell(name, json.loads("\n".join(data)))
                name, data = "message", []

    def _tell(self, name, told):
        if name not in ("started", "progress", "preview", "over"):
            return
        event = dict(told, type=name)
        job_id = event.pop("id")
        if name == "preview":
            event["picture"] = base64.b64decode(event["picture"])
        with self._lock:
            feed = self._feeds.pop(job_id, None) if name == "over" else self._feeds.get(job_id)
        if feed is not None:
            feed.tell(event)

    def _catch_up(self):
        """After the daemon was away: jobs that ended meanwhile."""
        with self._lock:
            waited = list(self._feeds)
        for job_id in waited:
            end = self._end_of(job_id)
            if end is not None:
                self._tell("over", {"id": job_id, "state": end["state"], "error": end["error"]})

    def _tell_all(self, fault):
        with self._lock:
            feeds, self._feeds = self._feeds, {}
        for feed in feeds.values():
            feed.tell(fault)


class _Feed:
    """What was heard of a job, for any number of readers, each from its beginning."""

    def __init__(self):
        self._changed = threading.Condition()
        self._kept = []
        self._forgotten = 0

    def tell(self, event):
        with self._changed:
            self._kept.append(event)
            # Who reads so late wants to know where it is.
            if len(self._kept) > _MAX_KEPT:
                del self._kept[0]
                self._forgotten += 1
            self._changed.notify_all()

    def events(self):
        at = 0
        while True:
            with self._changed:
                while at >= self._forgotten + len(self._kept):
                    self._changed.wait()
                at = max(at, self._forgotten)
                event = self._kept[at - self._forgotten]
            at += 1
            if isinstance(event, Exception):
                raise event
            yield event
            if event["type"] == "over":
                return


def _shut(stream):
    """Ends a read that waits in another thread."""
    try:
        stream.fp.raw._sock.shutdown(socket.SHUT_RDWR)
    except (OSError, AttributeError):
        pass


def _fault_of(text):
    """What ComfyUI's API says of a workflow that can't run, in lines."""
    try:
        told = json.loads(text)
        lines = [
            "node %s (%s): %s" % (node, entry["class_type"], _line_of(fault))
            for node, entry in told.get("node_errors", {}).items()
            for fault in entry["errors"]
        ]
        return "\n".join([_line_of(told["error"])] + lines)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _line_of(fault):
    return fault["message"] + (": " + fault["details"] if fault.get("details") else "")
