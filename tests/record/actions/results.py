"""A reporter for ansible-core that writes every result of every task to the file in RESULTS."""

import json
import os

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "results"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.plays = []

    def v2_playbook_on_play_start(self, play):
        self.plays.append({"play": play.get_name(), "tasks": []})

    def task(self, task):
        self.plays[-1]["tasks"].append({"task": task.get_name(), "hosts": {}})

    def v2_playbook_on_task_start(self, task, is_conditional):
        self.task(task)

    def v2_playbook_on_handler_task_start(self, task):
        self.task(task)

    def result(self, status, result):
        kept = {k: v for k, v in result.result.items() if not k.startswith("_ansible")}
        kept["status"] = status
        self.plays[-1]["tasks"][-1]["hosts"][result.host.get_name()] = kept

    def v2_runner_on_ok(self, result):
        self.result("changed" if result.is_changed() else "ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.result("failed", result)

    def v2_runner_on_skipped(self, result):
        self.result("skipped", result)

    def v2_runner_on_unreachable(self, result):
        self.result("unreachable", result)

    def v2_playbook_on_stats(self, stats):
        custom = {str(k): v for k, v in stats.custom.items()}
        with open(os.environ["RESULTS"], "w") as file:
            json.dump({"plays": self.plays, "custom": custom}, file, default=str)
