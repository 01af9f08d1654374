"""A reporter for ansible-core that writes what happens, one line for each event, to the file in SEQUENCE."""

import json
import os

from ansible.plugins.callback import CallbackBase

# Results of these are part of what is compared; of others only how they ended.
SHOWN = {
    "debug": ["msg"],
    "include_vars": ["ansible_facts", "ansible_included_var_files", "message", "msg"],
    "assert": ["msg"],
    "fail": ["msg"],
    "validate_argument_spec": ["argument_errors"],
}


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "sequence"

    def line(self, *words):
        with open(os.environ["SEQUENCE"], "a") as file:
            file.write(" ".join(word for word in words if word) + "\n")

    def result(self, status, result, mark=""):
        keys = SHOWN.get(result.task.action.split(".")[-1], [])
        shown = {key: result.result[key] for key in keys if key in result.result}
        item = result.result.get("_ansible_item_label", result.result.get("item"))
        label = "" if item is None or "results" in result.result else f"item={json.dumps(item)}"
        text = json.dumps(shown, sort_keys=True) if shown else ""
        self.line(status, result.host.get_name(), mark, label, self.of_task(result), text)

    def of_task(self, result):
        """Where hosts go on by themselves, a line does not follow the heading of its task."""
        return "" if self.strategy == "linear" else f"task={result.task.get_name()}"

    def v2_playbook_on_play_start(self, play):
        self.strategy = play.strategy
        self.line("PLAY", play.get_name())

    def v2_playbook_on_task_start(self, task, is_conditional):
        self.line("TASK", task.get_name())

    def v2_playbook_on_handler_task_start(self, task):
        self.line("HANDLER", task.get_name())

    def v2_playbook_on_no_hosts_matched(self):
        self.line("no hosts matched")

    def v2_playbook_on_no_hosts_remaining(self):
        self.line("no hosts remaining")

    def v2_playbook_on_include(self, included_file):
        hosts = ",".join(host.name for host in included_file._hosts)
        self.line("included", os.path.basename(included_file._filename), hosts)

    def is_include(self, result):
        """What is included has a line of its own."""
        return result.task.action.split(".")[-1] in ("include_tasks", "include_role")

    def v2_runner_on_ok(self, result):
        if self.is_include(result):
            return
        self.result("changed" if result.is_changed() else "ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.result("failed", result, "ignored" if ignore_errors else "")

    def v2_runner_on_unreachable(self, result):
        self.line("unreachable", result.host.get_name(), self.of_task(result))

    def v2_runner_on_skipped(self, result):
        self.line("skipped", result.host.get_name(), self.of_task(result))

    def v2_runner_item_on_ok(self, result):
        if self.is_include(result):
            return
        self.result("item changed" if result.is_changed() else "item ok", result)

    def v2_runner_item_on_failed(self, result):
        self.result("item failed", result)

    def v2_runner_item_on_skipped(self, result):
        self.result("item skipped", result)

    def v2_runner_retry(self, result):
        self.line("retry", result.host.get_name(), self.of_task(result))

    def v2_playbook_on_stats(self, stats):
        for host in sorted(stats.processed):
            numbers = stats.summarize(host)
            keys = ["ok", "changed", "unreachable", "failures", "skipped", "rescued", "ignored"]
            self.line("stats", host, *(f"{key}={numbers[key]}" for key in keys))
