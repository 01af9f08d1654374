"""Playbooks whose runs are compared, event for event."""

CASES = {}


def case(name, tasks=None, *, options=(), files=None, site=None, **play):
    """A playbook: `tasks` as text of a list, with keywords of the play; or a whole one."""
    if site is None:
        lines = [f"- hosts: {play.pop('hosts', 'h1,h2,h3')}", "  gather_facts: false"]
        sections = {"tasks": tasks, **{k: play.pop(k) for k in list(play) if k in SECTIONS}}
        lines += [f"  {key}: {value}" for key, value in play.items()]
        for key, text in sections.items():
            if text:
                lines.append(f"  {key}:")
                lines += ["  " + line for line in text.strip("\n").splitlines()]
        site = "\n".join(lines) + "\n"
    CASES[name] = {"files": {"site.yml": site, **(files or {})}, "options": list(options)}


SECTIONS = {"handlers", "pre_tasks", "post_tasks", "roles"}

OK = "- {name: %s, command: /bin/true, changed_when: false}"
CHANGE = "- {name: %s, command: /bin/true}"
FAIL_H2 = "- {name: %s, command: /bin/false, when: inventory_hostname == 'h2'}"
FAIL_ALL = "- {name: %s, command: /bin/false}"


def lines(*tasks):
    return "\n".join(tasks)


case("order", lines(OK % "a", CHANGE % "b", OK % "c"))
case("a host fails", lines(CHANGE % "a", FAIL_H2 % "b", CHANGE % "c"))
case("all hosts fail", lines(FAIL_ALL % "a", CHANGE % "b"))
case("ignored", lines("- {name: a, command: /bin/false, ignore_errors: true}", CHANGE % "b"))
case("failed_when and changed_when", lines(
    "- {name: a, command: /bin/false, failed_when: false}",
    "- {name: b, command: /bin/false, register: r, failed_when: r.rc == 2, changed_when: r.rc == 1}",
    "- {name: c, command: /bin/true, failed_when: inventory_hostname == 'h2'}",
    OK % "d",
))
case("unreachable", lines(CHANGE % "a", OK % "b"), hosts="h1,u1,h2")
case("unreachable ignored", lines(
    "- {name: a, command: /bin/true, ignore_unreachable: true}", OK % "b"), hosts="h1,u1")
case("all unreachable", lines(CHANGE % "a", OK % "b"), hosts="gone")
case("unreachable in a block", """
- block:
  - {name: a, command: /bin/true}
  rescue:
  - {name: b, command: /bin/true}
  always:
  - {name: c, command: /bin/true}
- {name: d, command: /bin/true}
""", hosts="h1,u1")

RESCUE = """
- block:
  - {name: a, command: /bin/true}
  - {name: b, command: /bin/false, when: inventory_hostname == 'h2'}
  - {name: c, command: /bin/true}
  rescue:
  - {name: r1, command: /bin/true}
  - {name: r2, debug: {msg: '{{ ansible_failed_task.name }} {{ ansible_failed_result.rc }}'}}
  always:
  - {name: z, command: /bin/true, changed_when: false}
- {name: after, command: /bin/true}
"""
case("rescue", RESCUE)
case("rescue on a last host", RESCUE, hosts="h3,h1,h2")
case("rescue fails", """
- block:
  - {name: a, command: /bin/false, when: inventory_hostname != 'h1'}
  - {name: b, command: /bin/true}
  rescue:
  - {name: r1, command: /bin/true}
  - {name: r2, command: /bin/false, when: inventory_hostname == 'h2'}
  - {name: r3, command: /bin/true}
  always:
  - {name: z1, command: /bin/true}
- {name: after, command: /bin/true}
""")
case("always fails", """
- block:
  - {name: a, command: /bin/false}
  always:
  - {name: z1, command: /bin/false, when: inventory_hostname == 'h1'}
  - {name: z2, command: /bin/true}
- {name: after, command: /bin/true}
""")
case("blocks in blocks", """
- block:
  - block:
    - {name: a, command: /bin/false, when: "inventory_hostname in ['h1', 'h2']"}
    - {name: b, command: /bin/true}
    rescue:
    - {name: r1, command: /bin/false, when: inventory_hostname == 'h2'}
    - {name: r2, command: /bin/true}
    always:
    - {name: z1, command: /bin/true}
  - {name: c, command: /bin/true}
  rescue:
  - {name: outer r, command: /bin/true}
  always:
  - {name: outer z, command: /bin/true}
- {name: after, command: /bin/true}
""")
case("rescue in rescue and always", """
- block:
  - {name: a, command: /bin/false}
  rescue:
  - block:
    - {name: b, command: /bin/false}
    rescue:
    - {name: c, command: /bin/true}
  always:
  - block:
    - {name: d, command: /bin/false}
    rescue:
    - {name: e, command: /bin/true}
- {name: after, command: /bin/true}
""", hosts="h1,h2")
case("a block that is skipped", """
- block:
  - {name: a, command: /bin/true}
  rescue:
  - {name: r, command: /bin/true}
  always:
  - {name: z, command: /bin/true}
  when: inventory_hostname == 'h1'
- {name: after, command: /bin/true}
""", hosts="h1,h2")

HANDLERS = """
- {name: one, command: /bin/true}
- {name: two, command: /bin/true}
- {name: three, command: /bin/true, listen: topic}
"""
case("handlers", lines(
    "- {name: a, command: /bin/true, notify: [two, one]}",
    "- {name: b, command: /bin/true, changed_when: false, notify: three}",
    "- {name: c, command: /bin/true, notify: topic, when: inventory_hostname != 'h2'}",
    "- {name: d, command: /bin/true, notify: one}",
), handlers=HANDLERS)
case("flush_handlers", lines(
    "- {name: a, command: /bin/true, notify: one}", "- meta: flush_handlers",
    "- {name: b, command: /bin/true, notify: [one, topic], when: inventory_hostname == 'h1'}", OK % "c",
), handlers=HANDLERS)
case("handlers after a failure", lines(
    "- {name: a, command: /bin/true, notify: one}", FAIL_H2 % "b", CHANGE % "c"), handlers=HANDLERS)
case("force_handlers", lines(
    "- {name: a, command: /bin/true, notify: one}", FAIL_H2 % "b", CHANGE % "c"),
     handlers=HANDLERS, force_handlers="true")
case("force_handlers where all fail", lines(
    "- {name: a, command: /bin/true, notify: [one, two]}", FAIL_ALL % "b"),
     handlers=HANDLERS, force_handlers="true")
case("a handler fails", lines("- {name: a, command: /bin/true, notify: [one, two]}", OK % "b"), handlers="""
- {name: one, command: /bin/false, when: inventory_hostname == 'h1'}
- {name: two, command: /bin/true}
""", post_tasks=OK % "post")
case("handlers notify handlers", lines("- {name: a, command: /bin/true, notify: two}"), handlers="""
- {name: one, command: /bin/true}
- {name: two, command: /bin/true, notify: [three, one]}
- {name: three, command: /bin/true}
""")
case("handlers of sections", lines("- {name: t, command: /bin/true, notify: one}"), handlers=HANDLERS,
     pre_tasks="- {name: p, command: /bin/true, notify: two}",
     post_tasks="- {name: q, command: /bin/true, notify: one}")
case("handlers in a rescue", """
- block:
  - {name: a, command: /bin/true, notify: one}
  - {name: b, command: /bin/false}
  rescue:
  - {name: c, command: /bin/true, notify: two}
- meta: flush_handlers
- {name: d, command: /bin/true}
""", handlers=HANDLERS, hosts="h1,h2")
case("a loop notifies", "- {name: a, command: /bin/true, changed_when: item == 2, loop: [1, 2], notify: one}",
     handlers=HANDLERS, hosts="h1,h2")
case("a handler is not there", "- {name: a, command: /bin/true, notify: nobody}")
case("handlers by include", "- {name: a, command: /bin/true, notify: inc}", handlers="""
- {name: inc, include_tasks: h.yml}
""", files={"h.yml": "- {name: x, command: /bin/true}\n- {name: y, command: /bin/true, notify: inc}\n"})

for serial in ["1", "2", "'50%'", "[1, 2]", "[1, '100%']"]:
    case(f"serial {serial}", lines(CHANGE % "a", "- {name: b, command: /bin/true, notify: one}"),
         hosts="h1,h2,h3,h4,h5", serial=serial, handlers=HANDLERS)
case("serial, one fails", lines(CHANGE % "a", FAIL_H2 % "b", CHANGE % "c"), hosts="h1,h2,h3,h4", serial="2")
case("serial, a batch fails", lines(CHANGE % "a",
     "- {name: b, command: /bin/false, when: \"inventory_hostname in ['h1', 'h2']\"}", CHANGE % "c"),
     hosts="h1,h2,h3,h4", serial="2")
case("serial 1, first fails", lines("- {name: b, command: /bin/false, when: inventory_hostname == 'h1'}"),
     hosts="h1,h2,h3", serial="1")

case("run_once", lines("- {name: a, command: /bin/true, run_once: true, register: r}",
     "- {name: b, debug: {msg: '{{ r.rc }}'}}"))
case("run_once fails", lines("- {name: a, command: /bin/false, run_once: true}", CHANGE % "b"))
case("run_once is rescued", """
- block:
  - {name: a, command: /bin/false, run_once: true}
  rescue:
  - {name: r, command: /bin/true}
- {name: b, command: /bin/true}
""")
case("run_once is skipped", lines(
    "- {name: a, command: /bin/true, run_once: true, when: inventory_hostname == 'h2', register: r}",
    "- {name: b, debug: {msg: '{{ r.skipped | default(false) }}'}}"))
case("run_once with set_fact", lines("- {name: a, set_fact: {f: '{{ inventory_hostname }}'}, run_once: true}",
     "- {name: b, debug: {msg: '{{ f }}'}}"))
case("run_once with serial", lines("- {name: a, command: /bin/true, run_once: true}", CHANGE % "b"),
     hosts="h1,h2,h3,h4", serial="2")
case("run_once notifies", "- {name: a, command: /bin/true, run_once: true, notify: one}", handlers=HANDLERS)
case("run_once with a loop", lines(
    "- {name: a, command: /bin/true, run_once: true, loop: [1, 2], register: r}",
    "- {name: b, debug: {msg: '{{ r.results | length }}'}}"), hosts="h1,h2")
case("run_once ignored", lines("- {name: a, command: /bin/false, run_once: true, ignore_errors: true}", CHANGE % "b"))

SOME_FAIL = "- {name: b, command: /bin/false, when: \"inventory_hostname in [%s]\"}"
for percent in ["0", "24", "25", "49", "50"]:
    case(f"max_fail_percentage {percent}, one of four", lines(CHANGE % "a", SOME_FAIL % "'h2'", CHANGE % "c"),
         hosts="h1,h2,h3,h4", max_fail_percentage=percent)
    case(f"max_fail_percentage {percent}, two of four",
         lines(CHANGE % "a", SOME_FAIL % "'h2', 'h3'", CHANGE % "c"),
         hosts="h1,h2,h3,h4", max_fail_percentage=percent)
case("max_fail_percentage and serial", lines(CHANGE % "a", SOME_FAIL % "'h2'", CHANGE % "c"),
     hosts="h1,h2,h3,h4", serial="2", max_fail_percentage="40")
case("max_fail_percentage and rescue", """
- block:
  - {name: a, command: /bin/false, when: inventory_hostname != 'h1'}
  rescue:
  - {name: r, command: /bin/true}
- {name: b, command: /bin/true}
""", max_fail_percentage="10")
case("max_fail_percentage, handlers", lines("- {name: a, command: /bin/true, notify: one}",
     SOME_FAIL % "'h2'", CHANGE % "c"), handlers=HANDLERS, max_fail_percentage="10")
case("max_fail_percentage and unreachable", lines(CHANGE % "a", CHANGE % "b"), hosts="h1,u1,h2",
     max_fail_percentage="10")

case("any_errors_fatal", lines("- {name: a, command: /bin/true, notify: one}", FAIL_H2 % "b", CHANGE % "c"),
     handlers=HANDLERS, any_errors_fatal="true")
case("any_errors_fatal of a task", lines(
    "- {name: b, command: /bin/false, when: inventory_hostname == 'h2', any_errors_fatal: true}", CHANGE % "c"))
case("any_errors_fatal in a block", """
- block:
  - {name: a, command: /bin/false, when: inventory_hostname == 'h2'}
  - {name: b, command: /bin/true}
  rescue:
  - {name: r, command: /bin/true}
  always:
  - {name: z, command: /bin/true}
- {name: after, command: /bin/true}
""", any_errors_fatal="true")
case("any_errors_fatal with always", """
- block:
  - {name: a, command: /bin/false, when: inventory_hostname == 'h2'}
  - {name: b, command: /bin/true}
  always:
  - {name: z, command: /bin/true}
- {name: after, command: /bin/true}
""", any_errors_fatal="true")
case("any_errors_fatal and unreachable", lines(CHANGE % "a", CHANGE % "b"), hosts="h1,u1,h2",
     any_errors_fatal="true")
case("any_errors_fatal with serial", lines(CHANGE % "a", FAIL_H2 % "b", CHANGE % "c"),
     hosts="h1,h2,h3,h4", serial="2", any_errors_fatal="true")
case("any_errors_fatal ignored", lines(
    "- {name: a, command: /bin/false, ignore_errors: true}", CHANGE % "b"), any_errors_fatal="true")

FREE = """
- {name: a, command: /bin/true, notify: one}
- {name: b, command: /bin/false, when: inventory_hostname == 'h2'}
- block:
  - {name: c, command: /bin/false, when: inventory_hostname == 'h3'}
  rescue:
  - {name: r, command: /bin/true}
  always:
  - {name: z, command: /bin/true}
- {name: d, command: /bin/true}
"""
case("free", FREE, handlers=HANDLERS, strategy="free")
case("host_pinned", FREE, handlers=HANDLERS, strategy="host_pinned")
case("free, unreachable", lines(CHANGE % "a", CHANGE % "b"), hosts="h1,u1", strategy="free")
case("free, includes", "- include_tasks: i.yml\n- {name: after, command: /bin/true}\n", strategy="free",
     files={"i.yml": "- {name: x, command: /bin/true}\n- {name: y, debug: {msg: '{{ inventory_hostname }}'}}\n"})

case("includes", """
- {name: inc, include_tasks: '{{ inventory_hostname }}.yml', when: inventory_hostname != 'h3'}
- {name: after, command: /bin/true}
""", files={"h1.yml": "- {name: one, command: /bin/true}\n",
            "h2.yml": "- {name: two, command: /bin/true}\n- {name: three, command: /bin/true}\n"})
case("an include in a loop", """
- {include_tasks: i.yml, loop: [1, 2]}
- {name: after, command: /bin/true}
""", files={"i.yml": "- {name: 'x {{ item }}', debug: {msg: '{{ item }} {{ inventory_hostname }}'}}\n"})
case("an include fails", """
- block:
  - include_tasks: i.yml
  rescue:
  - {name: r, command: /bin/true}
- {name: after, command: /bin/true}
""", files={"i.yml": FAIL_H2 % "x" + "\n" + CHANGE % "y" + "\n"})
case("an included file is not there", lines("- {include_tasks: nope.yml, when: inventory_hostname == 'h2'}", CHANGE % "b"))
case("a role", CHANGE % "t", roles="- r\n", files={
    "roles/r/tasks/main.yml": "- {name: a, command: /bin/true, notify: h}\n",
    "roles/r/handlers/main.yml": "- {name: h, command: /bin/true}\n",
    "roles/r/meta/main.yml": "dependencies: [d]\n",
    "roles/d/tasks/main.yml": "- {name: da, command: /bin/true, notify: h}\n"})
case("a role twice", "- import_role: {name: r}\n- include_role: {name: r}\n- {name: after, command: /bin/true}\n",
     roles="- r\n- r\n- {role: r, p: 1}\n", files={"roles/r/tasks/main.yml": "- {name: a, command: /bin/true}\n"})

for what in ["end_play", "end_host", "end_batch", "clear_host_errors", "noop"]:
    case(f"meta {what}", lines(CHANGE % "a", FAIL_H2 % "f",
         f"- {{meta: {what}, when: inventory_hostname == 'h1'}}", CHANGE % "b"),
         hosts="h1,h2,h3,h4", serial="3")
case("meta end_role", CHANGE % "t", roles="- r\n", files={"roles/r/tasks/main.yml": lines(
    CHANGE % "a", "- {meta: end_role, when: inventory_hostname == 'h1'}", CHANGE % "b") + "\n"})

case("delegate_to", lines("- {name: a, command: /bin/true, delegate_to: h3, register: r}",
     "- {name: b, command: /bin/false, delegate_to: h3, when: inventory_hostname == 'h1'}", CHANGE % "c"),
     hosts="h1,h2")
case("delegate_to an unreachable host", lines(
    "- {name: a, command: /bin/true, delegate_to: u1, when: inventory_hostname == 'h1'}", CHANGE % "b"),
     hosts="h1,h2")
case("delegate_facts", lines("- {name: a, set_fact: {f: 1}, delegate_to: h2, delegate_facts: true, when: inventory_hostname == 'h1'}",
     "- {name: b, debug: {msg: '{{ f | default(0) }}'}}"), hosts="h1,h2")
case("loops", lines(
    "- {name: a, command: /bin/true, loop: [1, 2, 3], changed_when: item == 2, when: item != 3, register: r}",
    "- {name: b, debug: {msg: '{{ r.results | map(attribute=\"changed\", default=0) | list }}'}}",
    "- {name: c, command: '/bin/{{ item }}', loop: ['true', 'false', 'true'], ignore_errors: true}",
    "- {name: d, command: /bin/true, loop: []}",
    "- {name: e, command: '/bin/{{ item }}', loop: ['false', 'true']}", CHANGE % "f"), hosts="h1,h2")
case("until", lines(
    "- {name: a, command: /bin/false, register: r, until: r.rc == 0, retries: 2, delay: 0, ignore_errors: true}",
    "- {name: b, debug: {msg: '{{ r.attempts }}'}}",
    "- {name: c, command: /bin/true, register: r, until: r.rc == 0, retries: 2, delay: 0}"), hosts="h1,h2")
case("undefined", lines("- {name: a, debug: {msg: '{{ nobody }}'}, when: inventory_hostname == 'h2', ignore_errors: true}",
     "- {name: b, command: /bin/true, when: nobody}", CHANGE % "c"), hosts="h1,h2")
case("several plays", site="""\
- hosts: h1,h2
  gather_facts: false
  tasks:
  - {name: a, command: /bin/false, when: inventory_hostname == 'h1'}
- hosts: h1,h2,h3
  name: second
  gather_facts: false
  tasks:
  - {name: b, debug: {msg: '{{ ansible_play_hosts }} {{ ansible_play_batch }} {{ ansible_play_hosts_all }}'}}
- hosts: h1
  gather_facts: false
  tasks:
  - {name: c, command: /bin/true}
- hosts: nobody
  gather_facts: false
  tasks:
  - {name: d, command: /bin/true}
""")
case("play hosts", lines("- {name: a, debug: {msg: '{{ ansible_play_hosts }} {{ ansible_play_batch }}'}}",
     FAIL_H2 % "b", "- {name: c, debug: {msg: '{{ ansible_play_hosts }} {{ ansible_play_batch }} {{ ansible_play_hosts_all }}'}}"),
     hosts="h1,h2,h3,h4", serial="3")
case("throttle", lines("- {name: a, command: /bin/true, throttle: 1}", CHANGE % "b"))
case("add_host and group_by", site="""\
- hosts: h1,h2
  gather_facts: false
  tasks:
  - {name: a, add_host: {name: h9, groups: fresh, x: 5}}
  - {name: b, group_by: {key: 'g_{{ inventory_hostname }}'}}
- hosts: fresh,g_h2
  gather_facts: false
  tasks:
  - {name: c, debug: {msg: '{{ x | default(0) }} {{ group_names }}'}}
""")
case("check mode", lines(CHANGE % "a", "- {name: b, command: /bin/true, check_mode: false}", "- {name: c, debug: {msg: '{{ ansible_check_mode }}'}}"),
     options=["--check"], hosts="h1")
case("tags", lines("- {name: a, command: /bin/true, tags: x}", "- {name: b, command: /bin/true, tags: always}",
     "- {name: c, command: /bin/true, tags: never}", "- {name: d, command: /bin/true}"), options=["--tags", "x"], hosts="h1")
case("start at", lines(CHANGE % "a", CHANGE % "b", CHANGE % "c"), options=["--start-at-task", "b"], hosts="h1")

VARS = {
    "vars/d/01.yml": "a: 1\nn: {x: 1, y: 2}\n", "vars/d/02.yaml": "b: 2\nn: {y: 3}\n",
    "vars/d/sub/03.json": "{\"c\": 3}\n", "vars/d/x.txt": "not yaml: [\n", "vars/list.yml": "- 1\n",
    "vars/top.yml": "top: '{{ 1 + 1 }}'\n", "vars/empty.yml": "", "vars/intkey.yml": "1: x\n",
    "vars/plain.conf": "plain: 1\n", "vars/bad.yml": "z: [\n", "root.yml": "inroot: 1\n",
    "roles/r/vars/main.yml": "main: 1\n", "roles/r/vars/rv.yml": "rv: 1\n", "roles/r/vars/d/a.yml": "rd: 1\n",
    "roles/r/tasks/d/t.yml": "td: 1\n", "sub/inc.yml": "- {include_vars: near.yml}\n- {include_vars: {dir: d}}\n",
    "sub/near.yml": "near: 1\n", "sub/d/e.yml": "e: 1\n", "sub/vars/near.yml": "near: vars\n",
}
INCLUDE_VARS = [
    "top.yml", "vars/top.yml", "root.yml", "missing.yml", "list.yml", "empty.yml", "intkey.yml", "bad.yml",
    "plain.conf", "file=top.yml name=nm", "top.yml name=nm", "'{{ playbook_dir }}/vars/top.yml'",
    "{file: top.yml}", "{file: top.yml, name: nm}", "{file: list.yml, name: nm}", "{dir: d}", "{dir: vars/d}",
    "{dir: vars/d, extensions: [yml, yaml, json]}", "{dir: vars/d, ignore_unknown_extensions: true}",
    "{dir: vars/d, ignore_unknown_extensions: true, depth: 1}", "{dir: vars/d, files_matching: '0[12]'}",
    "{dir: vars/d, ignore_files: [x.txt]}", "{dir: vars/d, ignore_files: [x.txt, 02.yaml], name: nm}",
    "{dir: vars/d, ignore_files: x.txt}", "{dir: nodir}", "{dir: vars/top.yml}", "{file: top.yml, dir: vars/d}",
    "{file: top.yml, hash_behaviour: merge}", "{dir: vars/d, ignore_unknown_extensions: true, hash_behaviour: merge}",
    "{file: top.yml, extensions: json}", "{file: top.yml, bogus: 1}", "{file: top.yml, depth: 2}", "{name: nm}",
    "{dir: vars/d, ignore_unknown_extensions: true, extensions: [json]}", "{file: d}", "{file: ''}",
    "{dir: '{{ playbook_dir }}/vars/d', ignore_unknown_extensions: 'yes'}",
]
for what in INCLUDE_VARS:
    case(f"include_vars {what}", f"- include_vars: {what}\n  ignore_errors: true\n"
         "- debug: {msg: '{{ n }} {{ top | default(0) }} {{ nm | default(0) }}'}\n",
         hosts="h1", vars="{n: {w: 0}}", files=VARS)
for what in ["rv.yml", "{dir: d}", "{dir: vars}", "{dir: vars/d}", "{dir: .}", "top.yml", "main.yml"]:
    case(f"include_vars {what} in a role", roles="- r\n", hosts="h1",
         files={**VARS, "roles/r/tasks/main.yml": f"- include_vars: {what}\n  ignore_errors: true\n"})
case("include_vars in an include", "- include_tasks: sub/inc.yml\n", hosts="h1", files=VARS)

VARS_FILES = {"one.yml": "x: 1\nd: {a: 1, b: 2}\n", "two.yml": "x: 2\nd: {b: 3}\n", "list.yml": "- 1\n", "empty.yml": "",
              "dicts.yml": "- {x: 1}\n- {y: 2}\n", "vars/inv.yml": "v: vars\n", "h1.yml": "h: h1\n",
              "default.yml": "h: default\n", "fact.yml": "h: fact\n"}
for what in ["[one.yml, two.yml]", "[two.yml, one.yml]", "[missing.yml]", "[empty.yml]", "[inv.yml]", "one.yml",
             "[dicts.yml]", "[['{{ inventory_hostname }}.yml', default.yml]]", "[[nope.yml, default.yml]]",
             "[[nope.yml, nope2.yml]]", "['{{ nobody }}.yml']", "[['{{ nobody }}.yml', one.yml]]", "['{{ pv }}.yml']",
             "['{{ f }}.yml']", "[['{{ f }}.yml', default.yml]]", "['{{ g }}.yml']"]:
    case(f"vars_files {what}", lines(
        "- debug: {msg: \"{{ x | default('-') }} {{ d | default('-') }} {{ v | default('-') }} {{ h | default('-') }}\"}",
        "- set_fact: {f: fact, cacheable: true}", "- set_fact: {g: fact}",
        "- debug: {msg: \"{{ h | default('-') }}\"}"),
        hosts="h1,h2", vars="{pv: one}", vars_files=what, files=VARS_FILES)

ENTRY = "- debug: {msg: \"%s {{ v }} {{ w }} {{ x | default(0) }} {{ y | default(0) }} {{ z | default(0) }}\"}\n"
case("vars of the entry of a role", ENTRY % "out" + "- import_role: {name: d}\n  vars: {w: import, x: import}\n",
     hosts="h1", vars="{z: play, w: play}", vars_files="[vf.yml]",
     roles="- {role: a, vars: {v: entry_a, y: entry_a, z: entry_a}}\n",
     files={"vf.yml": "z: vf\n", "roles/a/vars/main.yml": "v: main_a\n", "roles/d/vars/main.yml": "w: main_d\n",
            "roles/a/meta/main.yml": "dependencies: [{role: d, vars: {w: entry_d, x: entry_d, y: entry_d}}]\n",
            "roles/a/tasks/main.yml": ENTRY % "a", "roles/d/tasks/main.yml": ENTRY % "d"})
