"""Tests latentd_client against a daemon: LATENTD_ADDRESS says where, LATENTD_WORKFLOW names a workflow that it can run.

    LATENTD_ADDRESS=http://127.0.0.1:8188 LATENTD_WORKFLOW=workflow.json python3 -m unittest
"""

import json
import os
import random
import unittest
import uuid

from latentd_client import Client, ClientError, JobFailure

ADDRESS = os.environ["LATENTD_ADDRESS"]
with open(os.environ["LATENTD_WORKFLOW"]) as file:
    WORKFLOW = file.read()


def with_inputs(**inputs):
    """The workflow with inputs of its sampler set."""
    workflow = json.loads(WORKFLOW)
    for node in workflow.values():
        if node["class_type"] == "KSampler":
            node["inputs"].update(inputs)
    return workflow


class Jobs(unittest.TestCase):
    def setUp(self):
        self.client = Client(ADDRESS)
        self.addCleanup(self.client.close)

    def test_is_told_from_start_to_end_and_gives_its_files(self):
        # What was drawn before takes no steps.
        job = self.client.submit(with_inputs(seed=random.getrandbits(60)))
        events = list(job.events())
        self.assertEqual(events[0], {"type": "started"})
        self.assertEqual(events[-1]["state"], "completed")
        self.assertIn("progress", [event["type"] for event in events])
        outputs = job.outputs()
        self.assertEqual([output.type for output in outputs], ["output"])
        self.assertEqual(outputs[0].read()[:8], b"\x89PNG\r\n\x1a\n")

    def test_keeps_the_digits_of_a_seed(self):
        seed = 2**64 - 1
        output = self.client.submit(with_inputs(seed=seed)).outputs()[0]
        self.assertIn(b'"seed": %d' % seed, output.read())

    def test_is_cancelled(self):
        job = self.client.submit(with_inputs(steps=3000))
        for event in job.events():
            if event["type"] == "progress":
                break
        self.assertTrue(job.cancel())
        with self.assertRaises(JobFailure) as caught:
            job.outputs()
        self.assertEqual((caught.exception.state, caught.exception.id), ("cancelled", job.id))
        self.assertFalse(job.cancel())

    def test_is_found_again(self):
        job_id = str(uuid.uuid4())
        self.client.submit(WORKFLOW, id=job_id).outputs()
        with Client(ADDRESS) as later:
            self.assertEqual(len(later.job(job_id).outputs()), 1)

    def test_that_can_not_run_is_refused_with_what_is_wrong(self):
        with self.assertRaisesRegex(ClientError, "steps") as caught:
            self.client.submit(with_inputs(steps=0))
        self.assertEqual(caught.exception.code, "invalid")

    def test_that_nobody_knows(self):
        with self.assertRaisesRegex(JobFailure, "there is no job"):
            self.client.job("none").outputs()


class Addresses(unittest.TestCase):
    def test_where_nobody_is(self):
        with Client("http://127.0.0.1:1") as client:
            with self.assertRaises(ClientError) as caught:
                client.submit(WORKFLOW)
        self.assertEqual(caught.exception.code, "unreachable")


if __name__ == "__main__":
    unittest.main()
