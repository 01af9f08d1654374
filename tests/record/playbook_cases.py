"""The cases that playbook.py records."""

CASES = {"syntax": {}, "lists": {}, "variables": {}}


def syntax(name, text, **files):
    CASES["syntax"][name] = {
        "files": {"site.yml": text, **{k.replace("__", "/") + ".yml": v for k, v in files.items()}},
        "options": ["-i", "localhost,", "--syntax-check", "site.yml"],
    }


def play(tasks):
    """A play with these tasks, which are indented as below `tasks:`."""
    lines = tasks.strip("\n").splitlines()
    return "- hosts: all\n  gather_facts: false\n  tasks:\n" + "".join(f"    {line}\n" for line in lines)


# What is accepted.
syntax("good", play("- debug: msg=hi"))
syntax("empty file", "")
syntax("comment only", "# nothing\n")
syntax("empty list", "[]\n")
syntax("dict", "hosts: all\n")
syntax("string", "hello\n")
syntax("number", "1\n")
syntax("list of strings", "- hello\n")
syntax("broken yaml", "- hosts: all\n  tasks: [\n")
syntax("tab", "- hosts: all\n\ttasks: []\n")
syntax("no hosts", "- tasks: []\n")
syntax("hosts empty", "- hosts:\n  tasks: []\n")
syntax("hosts number", "- hosts: 1\n")
syntax("hosts dict", "- hosts: {a: b}\n")
syntax("hosts list of number", "- hosts: [1]\n")
syntax("hosts list of null", "- hosts: [~]\n")
syntax("hosts empty list", "- hosts: []\n")
syntax("hosts empty string", "- hosts: ''\n")
syntax("play unknown keyword", "- hosts: all\n  taks: []\n")
syntax("play sudo", "- hosts: all\n  sudo: yes\n")
syntax("play user", "- hosts: all\n  user: root\n")
syntax("play user and remote_user", "- hosts: all\n  user: root\n  remote_user: joe\n")
syntax("play when", "- hosts: all\n  when: true\n")
syntax("play tasks dict", "- hosts: all\n  tasks: {debug: {}}\n")
syntax("play tasks string", "- hosts: all\n  tasks: hello\n")
syntax("play tasks null", "- hosts: all\n  tasks:\n")
syntax("play roles null", "- hosts: all\n  roles:\n")
syntax("play roles string", "- hosts: all\n  roles: foo\n")
syntax("play roles unknown", "- hosts: all\n  roles: [foo]\n")
syntax("play roles number", "- hosts: all\n  roles: [1]\n")
syntax("play roles without name", "- hosts: all\n  roles: [{tags: a}]\n")
syntax("play handlers string", "- hosts: all\n  handlers: foo\n")
syntax("play vars list", "- hosts: all\n  vars: [1]\n")
syntax("play vars list of dicts", "- hosts: all\n  vars: [{a: 1}]\n")
syntax("play vars string", "- hosts: all\n  vars: foo\n")
syntax("play vars null", "- hosts: all\n  vars:\n")
syntax("play vars bad name", "- hosts: all\n  vars: {a-b: 1}\n")
syntax("play vars number name", "- hosts: all\n  vars: {1: 1}\n")
syntax("play vars keyword name", "- hosts: all\n  vars: {if: 1}\n")
syntax("play vars_files number", "- hosts: all\n  vars_files: 1\n")
syntax("play vars_files missing", "- hosts: all\n  vars_files: [nope.yml]\n")
syntax("play gather_facts word", "- hosts: all\n  gather_facts: maybe\n")
syntax("play gather_facts template", "- hosts: all\n  gather_facts: '{{ x }}'\n")
syntax("play become word", "- hosts: all\n  become: perhaps\n")
syntax("play become list", "- hosts: all\n  become: [a]\n")
syntax("play port word", "- hosts: all\n  port: ssh\n")
syntax("play serial word", "- hosts: all\n  serial: many\n")
syntax("play strategy unknown", "- hosts: all\n  strategy: nope\n")
syntax("play order unknown", "- hosts: all\n  order: nope\n")
syntax("play max_fail word", "- hosts: all\n  max_fail_percentage: many\n")
syntax("play environment string", "- hosts: all\n  environment: foo\n")
syntax("play tags number", "- hosts: all\n  tags: 1\n")
syntax("play tags dict", "- hosts: all\n  tags: {a: b}\n")
syntax("play tags list dict", "- hosts: all\n  tags: [{a: b}]\n")
syntax("play name list", "- hosts: all\n  name: [a]\n")
syntax("play name dict", "- hosts: all\n  name: {a: b}\n")
syntax("play vars_prompt dict", "- hosts: all\n  vars_prompt: {name: a}\n")
syntax("play vars_prompt no name", "- hosts: all\n  vars_prompt: [{prompt: a}]\n")
syntax("play vars_prompt unknown", "- hosts: all\n  vars_prompt: [{name: a, foo: a}]\n")
syntax("play module_defaults string", "- hosts: all\n  module_defaults: foo\n")
syntax("play module_defaults bad", "- hosts: all\n  module_defaults: {copy: foo}\n")
syntax("play connection unknown", "- hosts: all\n  connection: nope\n")
syntax("play debugger unknown", "- hosts: all\n  debugger: nope\n")
syntax("play collections string", "- hosts: all\n  collections: community.general\n")
syntax("play number key", "- hosts: all\n  1: 2\n")
syntax("play force_handlers word", "- hosts: all\n  force_handlers: maybe\n")
syntax("import_playbook missing", "- import_playbook: nope.yml\n")
syntax("import_playbook unknown keyword", "- import_playbook: a.yml\n  hosts: all\n", a="- hosts: all\n")
syntax("import_playbook number", "- import_playbook: 1\n")
syntax("import_playbook null", "- import_playbook:\n")
syntax("import_playbook list", "- import_playbook: [a.yml]\n", a="- hosts: all\n")
syntax("import_playbook params", "- import_playbook: a.yml x=1\n", a="- hosts: all\n")
syntax("import_playbook itself", "- import_playbook: site.yml\n")
syntax("import_playbook template", "- import_playbook: '{{ x }}.yml'\n")
syntax("import_playbook bad below", "- import_playbook: a.yml\n", a="- hosts: all\n  foo: 1\n")
syntax("import_playbook empty", "- import_playbook: a.yml\n", a="")
syntax("include playbook", "- include: a.yml\n", a="- hosts: all\n")

# Tasks.
syntax("task unknown module", play("- coppy: {src: a, dest: b}"))
syntax("task unknown module args string", play("- frobnicate: x=1"))
syntax("task no action", play("- name: hello"))
syntax("task no action with unknown", play("- name: hello\n  tagss: x"))
syntax("task empty", play("- {}"))
syntax("task null", play("-"))
syntax("task string", play("- debug"))
syntax("task number", play("- 1"))
syntax("task list", play("- [debug]"))
syntax("task two modules", play("- debug: msg=a\n  copy: src=a dest=b"))
syntax("task action and module", play("- debug: msg=a\n  action: copy src=a"))
syntax("task action twice", play("- action: debug\n  local_action: debug"))
syntax("task action forms", play(
    "- action: debug msg=a\n- action: {module: debug, msg: a}\n- local_action: debug msg=a\n"
    "- local_action: {module: debug, msg: a}\n- action: debug\n  args: {msg: a}"))
syntax("task action dict without module", play("- action: {msg: a}"))
syntax("task action number", play("- action: 1"))
syntax("task action empty", play("- action:"))
syntax("task action unknown", play("- action: frobnicate x=1"))
syntax("task unknown keyword", play("- debug: msg=a\n  tagz: x"))
syntax("task unknown keyword before", play("- tagz: x\n  debug: msg=a"))
syntax("task sudo", play("- debug: msg=a\n  sudo: yes"))
syntax("task sudo_user", play("- debug: msg=a\n  sudo_user: joe"))
syntax("task listen", play("- debug: msg=a\n  listen: x"))
syntax("task with and loop", play("- debug: msg=a\n  loop: [1]\n  with_items: [1]"))
syntax("task two withs", play("- debug: msg=a\n  with_dict: {}\n  with_items: [1]"))
syntax("task with unknown", play("- debug: msg=a\n  with_nothing: [1]"))
syntax("task with null", play("- debug: msg=a\n  with_items:"))
syntax("task loop null", play("- debug: msg=a\n  loop:"))
syntax("task loop string", play("- debug: msg=a\n  loop: foo"))
syntax("task loop dict", play("- debug: msg=a\n  loop: {a: b}"))
syntax("task loop_control unknown", play("- debug: msg=a\n  loop: [1]\n  loop_control: {foo: 1}"))
syntax("task loop_control string", play("- debug: msg=a\n  loop: [1]\n  loop_control: foo"))
syntax("task loop_control pause word", play("- debug: msg=a\n  loop: [1]\n  loop_control: {pause: long}"))
syntax("task when list", play("- debug: msg=a\n  when: [true, false]"))
syntax("task when dict", play("- debug: msg=a\n  when: {a: b}"))
syntax("task when null", play("- debug: msg=a\n  when:"))
syntax("task when number", play("- debug: msg=a\n  when: 1"))
syntax("task when broken", play("- debug: msg=a\n  when: a b"))
syntax("task retries word", play("- debug: msg=a\n  retries: many"))
syntax("task become word", play("- debug: msg=a\n  become: perhaps"))
syntax("task async word", play("- debug: msg=a\n  async: long"))
syntax("task register number", play("- debug: msg=a\n  register: 1"))
syntax("task register bad", play("- debug: msg=a\n  register: a-b"))
syntax("task register list", play("- debug: msg=a\n  register: [a]"))
syntax("task register template", play("- debug: msg=a\n  register: '{{ a }}'"))
syntax("task register null", play("- debug: msg=a\n  register:"))
syntax("task vars list", play("- debug: msg=a\n  vars: [1]"))
syntax("task vars string", play("- debug: msg=a\n  vars: foo"))
syntax("task vars null", play("- debug: msg=a\n  vars:"))
syntax("task vars bad name", play("- debug: msg=a\n  vars: {a b: 1}"))
syntax("task name null", play("- debug: msg=a\n  name:"))
syntax("task name list", play("- debug: msg=a\n  name: [a]"))
syntax("task name number", play("- debug: msg=a\n  name: 1"))
syntax("task name bool", play("- debug: msg=a\n  name: yes"))
syntax("task tags dict", play("- debug: msg=a\n  tags: {a: b}"))
syntax("task tags null", play("- debug: msg=a\n  tags:"))
syntax("task tags bool", play("- debug: msg=a\n  tags: [true]"))
syntax("task notify dict", play("- debug: msg=a\n  notify: {a: b}"))
syntax("task notify unknown", play("- debug: msg=a\n  notify: nobody"))
syntax("task delegate_to list", play("- debug: msg=a\n  delegate_to: [a]"))
syntax("task environment list", play("- debug: msg=a\n  environment: [{A: b}]"))
syntax("task environment string", play("- debug: msg=a\n  environment: foo"))
syntax("task args string", play("- debug:\n  args: foo"))
syntax("task args template", play("- debug:\n  args: '{{ foo }}'"))
syntax("task args list", play("- debug:\n  args: [a]"))
syntax("task module args list", play("- debug: [a]"))
syntax("task module args number", play("- debug: 1"))
syntax("task module args bool", play("- debug: true"))
syntax("task module args words", play("- debug: hello"))
syntax("task module args words 2", play("- copy: hello world"))
syntax("task module args mixed", play("- copy: hello src=a dest=b"))
syntax("task module args template", play("- copy: '{{ foo }}'"))
syntax("task command free", play("- command: echo hi creates=/x\n- shell: a=b c\n- raw: x\n- script: a.sh b=c"))
syntax("task unbalanced quotes", play("- copy: src='a dest=b"))
syntax("task unbalanced braces", play("- copy: src={{ a dest=b"))
syntax("task unbalanced shell", play("- shell: echo 'a"))
syntax("task include", play("- include: a.yml"), a="- debug:\n")
syntax("task include_tasks missing", play("- include_tasks: nope.yml"))
syntax("task include_tasks empty", play("- include_tasks:"))
syntax("task include_tasks bad arg", play("- include_tasks: {file: a.yml, foo: 1}"))
syntax("task include_tasks keyword", play("- include_tasks: a.yml\n  become: true"))
syntax("task include_tasks apply", play("- include_tasks: {file: a.yml, apply: {become: true}}"))
syntax("task include_tasks apply list", play("- include_tasks: {file: a.yml, apply: [a]}"))
syntax("task include_tasks apply unknown", play("- include_tasks: {file: a.yml, apply: {foo: 1}}"))
syntax("task import_tasks missing", play("- import_tasks: nope.yml"))
syntax("task import_tasks empty", play("- import_tasks:"))
syntax("task import_tasks loop", play("- import_tasks: a.yml\n  loop: [1]"), a="- debug:\n")
syntax("task import_tasks apply", play("- import_tasks: {file: a.yml, apply: {}}"), a="- debug:\n")
syntax("task import_tasks file empty", play("- import_tasks: a.yml"), a="")
syntax("task import_tasks file null list", play("- import_tasks: a.yml"), a="---\n")
syntax("task import_tasks file dict", play("- import_tasks: a.yml"), a="debug: {}\n")
syntax("task import_tasks file string", play("- import_tasks: a.yml"), a="hello\n")
syntax("task import_tasks cycle", play("- import_tasks: a.yml"), a="- import_tasks: a.yml\n")
syntax("task import_tasks cycle 2", play("- import_tasks: a.yml"), a="- import_tasks: b.yml\n",
       b="- block:\n  - import_tasks: a.yml\n")
syntax("task import_tasks undefined", play("- import_tasks: '{{ nope }}.yml'"))
syntax("task import_tasks keyword", play("- import_tasks: a.yml\n  become: true\n  when: x\n  tags: t"), a="- debug:\n")
syntax("task import_tasks retries", play("- import_tasks: a.yml\n  retries: 3"), a="- debug:\n")
syntax("task import_tasks bad below", play("- import_tasks: a.yml"), a="- debug:\n  foo: 1\n")
syntax("task import_tasks plays below", play("- import_tasks: a.yml"), a="- hosts: all\n  tasks: []\n")
syntax("task import_role missing", play("- import_role: {name: nope}"))
syntax("task import_role no name", play("- import_role: {tasks_from: main}"))
syntax("task import_role bad arg", play("- import_role: {name: r, foo: 1}"), roles__r__tasks__main="- debug:\n")
syntax("task import_role loop", play("- import_role: {name: r}\n  loop: [1]"), roles__r__tasks__main="- debug:\n")
syntax("task import_role from missing", play("- import_role: {name: r, tasks_from: x}"), roles__r__tasks__main="- debug:\n")
syntax("task import_role apply", play("- import_role: {name: r, apply: {}}"), roles__r__tasks__main="- debug:\n")
syntax("task import_role string", play("- import_role: name=r"), roles__r__tasks__main="- debug:\n")
syntax("task import_role keyword", play("- import_role: {name: r}\n  delegate_to: x"), roles__r__tasks__main="- debug:\n")
syntax("task include_role missing", play("- include_role: {name: nope}"))
syntax("task include_role no name", play("- include_role:"))
syntax("task include_role keyword", play("- include_role: {name: r}\n  become: true"))
syntax("task include_role from number", play("- include_role: {name: r, tasks_from: 1}"))
syntax("task include_role apply list", play("- include_role: {name: r, apply: [a]}"))
syntax("task include_role public", play("- include_role: {name: r, public: maybe}"))
syntax("task meta unknown", play("- meta: dance"))
syntax("task meta args", play("- meta: flush_handlers x=1"))
syntax("task meta dict", play("- meta: {a: b}"))
syntax("task meta empty", play("- meta:"))
syntax("task meta when", play("- meta: flush_handlers\n  when: false"))
syntax("task set_fact words", play("- set_fact: foo"))
syntax("task block", play("- block:\n  - debug:\n  rescue:\n  - debug:\n  always:\n  - debug:"))
syntax("task block empty", play("- block: []"))
syntax("task block null", play("- block:"))
syntax("task block string", play("- block: foo"))
syntax("task block dict", play("- block: {debug: {}}"))
syntax("task rescue without block", play("- rescue:\n  - debug:"))
syntax("task always without block", play("- name: a\n  always:\n  - debug:"))
syntax("task block unknown keyword", play("- block:\n  - debug:\n  foo: 1"))
syntax("task block loop", play("- block:\n  - debug:\n  loop: [1]"))
syntax("task block register", play("- block:\n  - debug:\n  register: x"))
syntax("task block bad inside", play("- block:\n  - debug:\n    foo: 1"))
syntax("task block and module", play("- block:\n  - debug:\n  copy: src=a"))
syntax("handler block", "- hosts: all\n  handlers:\n  - block:\n    - debug:\n")
syntax("handler unknown", "- hosts: all\n  handlers:\n  - name: a\n    debug:\n    foo: 1\n")
syntax("handler listen number", "- hosts: all\n  handlers:\n  - name: a\n    debug:\n    listen: 1\n")
syntax("handler no name", "- hosts: all\n  handlers:\n  - debug:\n")
syntax("handler import_role", "- hosts: all\n  handlers:\n  - import_role: {name: r}\n", roles__r__tasks__main="- debug:\n")
syntax("handler include_role", "- hosts: all\n  handlers:\n  - include_role: {name: r}\n", roles__r__tasks__main="- debug:\n")
syntax("handler import_tasks", "- hosts: all\n  handlers:\n  - import_tasks: a.yml\n", a="- name: h\n  debug:\n")
syntax("handler meta flush", "- hosts: all\n  handlers:\n  - meta: flush_handlers\n")
syntax("task yaml vault broken", play("- debug: {msg: !vault foo}"))
syntax("task yaml tag unknown", play("- debug: {msg: !foo bar}"))
syntax("duplicate key", play("- debug: msg=a\n  debug: msg=b"))

# Roles.
syntax("role ok", "- hosts: all\n  roles: [r]\n", roles__r__tasks__main="- debug:\n")
syntax("role empty", "- hosts: all\n  roles: [r]\n", roles__r__tasks__main="")
syntax("role tasks dict", "- hosts: all\n  roles: [r]\n", roles__r__tasks__main="a: b\n")
syntax("role tasks string", "- hosts: all\n  roles: [r]\n", roles__r__tasks__main="foo\n")
syntax("role handlers dict", "- hosts: all\n  roles: [r]\n", roles__r__handlers__main="a: b\n")
syntax("role defaults list", "- hosts: all\n  roles: [r]\n", roles__r__defaults__main="- a\n")
syntax("role vars string", "- hosts: all\n  roles: [r]\n", roles__r__vars__main="foo\n")
syntax("role meta list", "- hosts: all\n  roles: [r]\n", roles__r__meta__main="- a\n")
syntax("role meta unknown", "- hosts: all\n  roles: [r]\n", roles__r__meta__main="foo: 1\n")
syntax("role meta dep missing", "- hosts: all\n  roles: [r]\n", roles__r__meta__main="dependencies: [nope]\n")
syntax("role meta dep string", "- hosts: all\n  roles: [r]\n", roles__r__meta__main="dependencies: nope\n")
syntax("role meta dep number", "- hosts: all\n  roles: [r]\n", roles__r__meta__main="dependencies: [1]\n")
syntax("role meta cycle", "- hosts: all\n  roles: [r]\n", roles__r__meta__main="dependencies: [s]\n",
       roles__s__meta__main="dependencies: [r]\n")
syntax("role meta itself", "- hosts: all\n  roles: [r]\n", roles__r__meta__main="dependencies: [r]\n")
syntax("role import itself", "- hosts: all\n  roles: [r]\n", roles__r__tasks__main="- import_role: {name: r}\n")
syntax("role import each other", "- hosts: all\n  roles: [r]\n", roles__r__tasks__main="- import_role: {name: s}\n",
       roles__s__tasks__main="- import_role: {name: r}\n")
syntax("role params", "- hosts: all\n  roles: [{role: r, a: 1, tags: x, when: y, become: true}]\n", roles__r__tasks__main="- debug:\n")
syntax("role old params", "- hosts: all\n  roles: ['r,v1,name']\n", roles__r__tasks__main="- debug:\n")
syntax("role bad keyword type", "- hosts: all\n  roles: [{role: r, tags: {a: b}}]\n", roles__r__tasks__main="- debug:\n")
syntax("role vars list entry", "- hosts: all\n  roles: [{role: r, vars: [1]}]\n", roles__r__tasks__main="- debug:\n")
syntax("role task error", "- hosts: all\n  roles: [r]\n", roles__r__tasks__main="- debug:\n  foo: 1\n")
syntax("role template name", "- hosts: all\n  vars: {x: r}\n  roles: ['{{ x }}']\n", roles__r__tasks__main="- debug:\n")
syntax("role template undefined", "- hosts: all\n  roles: ['{{ x }}']\n", roles__r__tasks__main="- debug:\n")
syntax("role by path", "- hosts: all\n  roles: [other/r]\n", other__r__tasks__main="- debug:\n")
syntax("role fqcn missing", "- hosts: all\n  roles: [ns.coll.role]\n")


def lists(name, options, **files):
    files = {k.replace("__", "/") + (".yml" if "." not in k else ""): v for k, v in files.items()}
    CASES["lists"][name] = {"files": files, "options": ["-i", "h1,h2,h3,", *options, "site.yml"]}


SITE = """\
- hosts: all
  name: first play
  gather_facts: false
  tags: [p1]
  vars: {t: templated, hh: h1}
  pre_tasks:
  - name: pre
    debug:
    tags: pre,both
  roles:
  - base
  - role: web
    tags: [web]
    port: 80
  tasks:
  - name: one {{ t }}
    debug:
    tags: ["{{ t }}"]
  - debug: msg=unnamed
  - ansible.builtin.command: echo hi
    tags: [always]
  - action: copy src=a dest=b
  - local_action: command true
  - name: block name
    tags: blk
    block:
    - name: in block
      debug:
      tags: [a, b]
    rescue:
    - name: in rescue
      debug:
    always:
    - name: in always
      debug:
  - import_tasks: more.yml
    tags: imp
  - include_tasks: dyn.yml
    tags: inc
  - name: with name
    include_tasks: dyn.yml
  - import_role: {name: web, tasks_from: other}
    tags: ir
  - include_role: {name: web}
  - name: included role
    include_role: {name: web}
  - meta: flush_handlers
  - name: named meta
    meta: noop
  - name: never run
    debug:
    tags: never
  - name: never and x
    debug:
    tags: [never, x]
  - name:
    debug:
  - name: ''
    debug:
  - name: 5
    debug:
  post_tasks:
  - name: post
    debug:
  handlers:
  - name: a handler
    debug:
- hosts: h1,h2:&h2
  gather_facts: true
  tasks:
  - name: second
    debug:
- hosts: ["h1", "h[23]"]
  tasks: []
- hosts: nobody
- hosts: "{{ hh | default('h1') }}"
  name: "play {{ x | default('y') }}"
  tags: [z, a, z]
  tasks:
  - name: tagged five
    debug:
    tags: ['5', "{{ tt | default('tt') }}"]
- import_playbook: imported.yml
  tags: [ip]
  vars: {zz: 1}
  when: false
"""
TREE = {
    "site": SITE,
    "more": "- name: more\n  debug:\n- import_tasks: evenmore.yml\n  tags: deep\n",
    "evenmore": "- name: even more\n  debug:\n",
    "dyn": "- name: dynamic\n  debug:\n",
    "imported": "- hosts: h2\n  name: imported play\n  tasks:\n  - name: imported task\n    debug:\n",
    "roles__base__tasks__main": "- name: base task\n  debug:\n  tags: [base]\n",
    "roles__base__handlers__main": "- name: base handler\n  debug:\n",
    "roles__web__tasks__main": "- name: web task\n  debug:\n- import_tasks: sub.yml\n- debug: msg=unnamed in role\n",
    "roles__web__tasks__sub": "- name: sub task\n  debug:\n",
    "roles__web__tasks__other": "- name: other task\n  debug:\n",
    "roles__web__meta__main": "dependencies:\n- role: dep\n  tags: [deptag]\n- base\n",
    "roles__dep__tasks__main": "- name: dep task\n  debug:\n",
}
for what in ("tasks", "tags", "hosts"):
    lists(what, [f"--list-{what}"], **TREE)
for tags in ("pre", "both", "always", "never", "tagged", "untagged", "all", "p1", "web", "blk", "a", "imp", "deep", "inc", "x",
             "templated", "5", "never,a", "nothing", "ir", "ip", "dep", "deptag", "all,never", "untagged,pre"):
    lists(f"tasks tags {tags}", ["--list-tasks", "-t", tags], **TREE)
    lists(f"tasks skip {tags}", ["--list-tasks", "--skip-tags", tags], **TREE)
lists("tags tags a", ["--list-tags", "-t", "a"], **TREE)
lists("tags skip a", ["--list-tags", "--skip-tags", "a"], **TREE)
lists("tags both", ["--list-tasks", "-t", "p1", "--skip-tags", "web,always"], **TREE)
lists("tags tagged skip", ["--list-tasks", "-t", "tagged", "--skip-tags", "tagged"], **TREE)
lists("hosts tasks", ["--list-hosts", "--list-tasks"], **TREE)
lists("hosts tags", ["--list-hosts", "--list-tags"], **TREE)
lists("tasks tags and tags", ["--list-tasks", "--list-tags"], **TREE)
lists("tasks all three", ["--list-tasks", "--list-tags", "--list-hosts"], **TREE)
lists("hosts limit", ["--list-hosts", "-l", "h2"], **TREE)
lists("syntax two", ["--syntax-check", "imported.yml"], **TREE)
lists("tasks two", ["--list-tasks", "imported.yml"], **TREE)
lists("tasks extra", ["--list-tasks", "-e", "t=fromextra hh=h3 x=k"], **TREE)
lists("tags extra", ["--list-tags", "-e", "t=fromextra hh=h3 x=k"], **TREE)
lists("hosts extra", ["--list-hosts", "-e", "t=fromextra hh=h3 x=k"], **TREE)
DUP = {
    "roles__r__tasks__main": "- name: r task\n  debug:\n",
    "roles__d__tasks__main": "- name: d task\n  debug:\n",
    "roles__d__meta__main": "allow_duplicates: true\ndependencies: [r]\n",
    "roles__s__meta__main": "dependencies: [r, d]\n",
    "roles__s__tasks__main": "- name: s task\n  debug:\n",
    "roles__q__tasks__main": "- block:\n  - name: q block\n    debug:\n",
}
lists("roles twice", ["--list-tasks"], site="- hosts: all\n  roles: [r, r, {role: r, x: 1}, d, d, s, s, r, q]\n", **DUP)
lists("roles empty", ["--list-tasks"], site="- hosts: all\n  roles: [e]\n", roles__e__tasks__main="")
lists("roles spec", ["--list-tasks"], site="- hosts: all\n  roles: [e]\n  tasks:\n  - import_role: {name: e}\n  - import_role: {name: e, rolespec_validate: false}\n  - import_role: {name: e, tasks_from: o}\n",
      roles__e__tasks__main="- name: e task\n  debug:\n", roles__e__tasks__o="- name: e other\n  debug:\n",
      roles__e__meta__argument_specs="argument_specs:\n  main:\n    short_description: The entry\n    options: {a: {type: str}}\n  o:\n    options: {}\n")
lists("roles spec in meta", ["--list-tasks"], site="- hosts: all\n  roles: [e]\n",
      roles__e__tasks__main="- name: e task\n  debug:\n", roles__e__meta__main="argument_specs:\n  main:\n    options: {a: {type: str}}\n")
lists("roles tags inherit", ["--list-tasks"], site="- hosts: all\n  tags: p\n  roles: [{role: s, tags: [s1, s2]}]\n", **DUP)
lists("role name key", ["--list-tasks"], site="- hosts: all\n  roles: [{name: r}, {role: other/d}]\n",
      roles__r__tasks__main="- name: r task\n  debug:\n", other__d__tasks__main="- name: od task\n  debug:\n")
lists("role tasks yaml", ["--list-tasks"], site="- hosts: all\n  roles: [r]\n",
      **{"roles__r__tasks__main.yaml".replace("__", "/"): "- name: r task\n  debug:\n"})
lists("role tasks json", ["--list-tasks"], site="- hosts: all\n  roles: [r]\n",
      **{"roles/r/tasks/main.json": '[{"name": "r task", "debug": {}}]\n'})
lists("role tasks bare", ["--list-tasks"], site="- hosts: all\n  roles: [r]\n",
      **{"roles/r/tasks/main.": "x"}, roles__r__tasks__main="- name: r task\n  debug:\n")
lists("import in role", ["--list-tasks"], site="- hosts: all\n  roles: [r]\n",
      roles__r__tasks__main="- import_tasks: sub/a.yml\n- import_tasks: b.yml\n",
      roles__r__tasks__sub__a="- import_tasks: c.yml\n- import_tasks: b.yml\n", roles__r__tasks__b="- name: b\n  debug:\n",
      roles__r__tasks__sub__c="- name: c\n  debug:\n")
lists("import nested dirs", ["--list-tasks"], site="- hosts: all\n  tasks:\n  - import_tasks: x/a.yml\n",
      b="- name: b\n  debug:\n", x__a="- import_tasks: b.yml\n- import_tasks: y/c.yml\n", x__b="- name: xb\n  debug:\n",
      x__y__c="- import_tasks: d.yml\n- import_tasks: b.yml\n", x__y__d="- name: xyd\n  debug:\n")
lists("import template", ["--list-tasks", "-e", "ev=b"], site="- hosts: all\n  vars: {f: a}\n  tasks:\n  - import_tasks: '{{ f }}.yml'\n  - import_tasks: '{{ ev }}.yml'\n  - import_tasks: '{{ tv }}.yml'\n    vars: {tv: a}\n  - block:\n    - import_tasks: '{{ bv }}.yml'\n    vars: {bv: b}\n  - import_tasks: \"{{ playbook_dir }}/a.yml\"\n",
      a="- name: a\n  debug:\n", b="- name: b\n  debug:\n")
lists("handlers not listed", ["--list-tasks"], site="- hosts: all\n  handlers:\n  - name: h\n    debug:\n")
lists("play names", ["--list-tasks"], site="- hosts: all\n  name: ''\n- hosts: all\n  name: 5\n- hosts: [h1, h2]\n- hosts: all\n  name:\n- hosts: all\n  name: ünï\n")
lists("play tags template", ["--list-tasks", "--list-tags"], site="- hosts: all\n  vars: {t: one}\n  tags: ['{{ t }}', two]\n  tasks:\n  - debug:\n  - debug:\n    tags: '{{ t }}3'\n")
lists("include_role names", ["--list-tasks"], site="- hosts: all\n  roles: [r]\n", roles__r__tasks__main="- include_role: {name: r}\n- name: n {{ x }}\n  include_role: {name: r}\n- name: m\n  include_tasks: main.yml\n")
lists("end_role in handler", ["--list-tasks"], site="- hosts: all\n  handlers:\n  - name: h\n    meta: end_role\n")
lists("import with apply", ["--list-tasks"], site="- hosts: all\n  tasks:\n  - import_tasks: {file: a.yml, apply: {tags: x}}\n", a="- debug:\n")
lists("import role with apply", ["--list-tasks"], site="- hosts: all\n  tasks:\n  - import_role: {name: r, apply: {tags: x}}\n", roles__r__tasks__main="- debug:\n")
lists("hosts undefined", ["--list-hosts"], site="- hosts: all\n- hosts: '{{ nobody }}'\n")
lists("hosts undefined in syntax", ["--syntax-check"], site="- hosts: all\n- hosts: '{{ nobody }}'\n")
lists("hosts of a prompt", ["--list-tasks", "--list-hosts"], site="- hosts: '{{ who }}'\n  vars_prompt: [{name: who}]\n  tasks: [{ping: }]\n")
lists("hosts of vars_files", ["--list-hosts"], site="- hosts: '{{ who }}'\n  vars_files: [v.yml, none.yml]\n", v="who: h1\n")
lists("vars_files wrong", ["--list-tasks"], site="- hosts: all\n- hosts: all\n  vars_files: [v.yml]\n", v="a: [\n")
lists("tags odd", ["--list-tasks"], site=play("- name: a\n  debug:\n  tags: [c, a, b]\n- name: b\n  debug:\n  tags: 'x , y'\n- name: e\n  debug:\n  tags: ['a,b', c]\n- name: f\n  debug:\n  tags: ''\n- name: g\n  debug:\n  tags: []\n- name: h\n  debug:\n  tags: [Ä, z]\n"))
lists("tags template list", ["--list-tasks", "-e", '{"tl": ["x", "y"], "ts": "m,n"}'], site=play("- name: a\n  debug:\n  tags: '{{ tl }}'\n- name: b\n  debug:\n  tags: '{{ ts }}'\n- name: c\n  debug:\n  tags: ['{{ ts }}', k]"))
lists("tags template undefined", ["--list-tasks"], site=play("- name: a\n  debug:\n  tags: '{{ tl }}'\n"))
lists("old forms", ["--list-tasks"], site=play("- name: a\n  debug: msg={{ item }}\n  with_items: foo\n- debug: msg=x\n  when: '{{ a }}'\n- name: folded\n  copy: >\n    src=a\n    dest=b\n    content=\"x y\"\n"))
lists("missing import", ["--list-tasks"], site=play("- import_tasks: nope.yml"))

# --- Variables -------------------------------------------------------------------------------------------------

LEVELS = ["defaults", "inv_file_group", "inv_group_all", "pb_group_all", "inv_group", "pb_group", "inv_file_host", "inv_host",
          "pb_host", "play_vars", "prompt", "vars_files", "role_vars", "block", "task", "include_vars", "set_fact",
          "role_params", "include_params", "extra"]


def upto(level, indent, sep=": "):
    """Every variable that this level may define: those of itself and all stronger levels."""
    names = LEVELS[LEVELS.index(level):]
    return "".join(f"{indent}v_{name}{sep}{level}\n" for name in names)


def inline(level):
    return ", ".join(f"v_{name}: {level}" for name in LEVELS[LEVELS.index(level):])


def variables(name, options=(), env=None, **files):
    files = {k.replace("__", "/") + (".yml" if "." not in k and k != "hosts" else ""): v for k, v in files.items()}
    files.setdefault("hosts", "h1 ansible_connection=local\n")
    CASES["variables"][name] = {"files": files, "options": ["-i", "hosts", *options, "site.yml"], "env": env or {}}


ALL = "".join(f"v_{n}={{{{ v_{n} | default('-') }}}} " for n in LEVELS)
HOSTS = "[g]\nh1 ansible_connection=local " + " ".join(f"v_{n}=inv_file_host" for n in LEVELS[LEVELS.index("inv_file_host"):]) + "\n[g:vars]\n" + upto("inv_file_group", "", "=")
variables(
    "levels", ["-e", "{" + inline("extra") + "}"],
    site="- hosts: all\n  gather_facts: false\n  vars:\n" + upto("play_vars", "    ") +
         "  vars_prompt:\n" + "".join(f"  - {{name: v_{n}, default: prompt}}\n" for n in LEVELS[LEVELS.index("prompt"):]) +
         "  vars_files: [vf.yml]\n"
         "  pre_tasks:\n"
         "  - include_vars: iv.yml\n  - set_fact: {" + inline("set_fact") + "}\n"
         "  roles:\n  - {role: r, " + inline("role_params") + "}\n"
         "  tasks:\n  - name: outside\n    debug: {msg: \"" + ALL + "\"}\n"
         "  - include_tasks: inc.yml\n    vars: {" + inline("include_params") + "}\n"
         "  - name: after include\n    debug: {msg: \"" + ALL + "\"}\n",
    inc="- name: included\n  debug: {msg: \"" + ALL + "\"}\n",
    vf=upto("vars_files", ""), iv=upto("include_vars", ""),
    roles__r__defaults__main=upto("defaults", ""), roles__r__vars__main=upto("role_vars", ""),
    roles__r__tasks__main="- vars: {" + inline("block") + "}\n  block:\n  - name: in role\n    vars: {" + inline("task") + "}\n    debug: {msg: \"" + ALL + "\"}\n"
                          "- name: no block\n  debug: {msg: \"" + ALL + "\"}\n"
                          "- include_tasks: sub.yml\n  vars: {" + inline("include_params") + "}\n",
    roles__r__tasks__sub="- name: in include of role\n  debug: {msg: \"" + ALL + "\"}\n",
    **{"hosts": HOSTS},
    group_vars__g=upto("pb_group", ""), group_vars__all=upto("pb_group_all", ""), host_vars__h1=upto("pb_host", ""),
)
variables(
    "roles and dependencies",
    site="- hosts: all\n  gather_facts: false\n  vars: {pv: play}\n  roles:\n  - role: a\n    vars: {av: a_entry, shared_v: a_entry}\n    p: a_param\n  - b\n"
         "  tasks:\n  - debug: {msg: \"outside {{ d }} {{ v }} {{ p | default('-') }} {{ av | default('-') }} {{ a_d }} {{ dep_d }} {{ dep_v }} {{ shared_v | default('-') }}\"}\n",
    roles__a__meta__main="dependencies:\n- role: dep\n  p: dep_param\n  vars: {dv: dep_entry}\n",
    roles__a__defaults__main="d: a_default\na_d: a_d\nboth: a_default\n", roles__a__vars__main="v: a_vars\nboth_v: a_vars\n",
    roles__a__tasks__main="- debug: {msg: \"a {{ d }} {{ v }} {{ p }} {{ av }} {{ dep_d }} {{ dep_v }} {{ dv | default('-') }} {{ both }} {{ both_v }} {{ shared_v }}\"}\n",
    roles__dep__defaults__main="d: dep_default\ndep_d: dep_d\nboth: dep_default\n", roles__dep__vars__main="v: dep_vars\ndep_v: dep_v\nboth_v: dep_vars\nshared_v: dep_vars\n",
    roles__dep__tasks__main="- debug: {msg: \"dep {{ d }} {{ v }} {{ p }} {{ av | default('-') }} {{ a_d }} {{ dv }} {{ both }} {{ both_v }} {{ shared_v }}\"}\n",
    roles__b__defaults__main="d: b_default\n", roles__b__vars__main="v: b_vars\n",
    roles__b__tasks__main="- debug: {msg: \"b {{ d }} {{ v }} {{ p | default('-') }} {{ av | default('-') }} {{ a_d }} {{ dep_d }} {{ both }} {{ both_v }} {{ shared_v | default('-') }}\"}\n",
)
variables(
    "includes and imports",
    site="- hosts: all\n  gather_facts: false\n  tasks:\n"
         "  - import_tasks: t.yml\n    vars: {x: import}\n"
         "  - include_tasks: t.yml\n    vars: {x: include}\n"
         "  - set_fact: {x: fact}\n"
         "  - import_tasks: t.yml\n    vars: {x: import}\n"
         "  - include_tasks: t.yml\n    vars: {x: include}\n"
         "  - import_role: {name: r}\n    vars: {x: import}\n"
         "  - include_role: {name: r}\n    vars: {x: include}\n"
         "  - debug: {msg: \"after {{ x }} {{ rd | default('-') }} {{ rv | default('-') }}\"}\n"
         "  - include_role: {name: q}\n"
         "  - debug: {msg: \"private {{ qd | default('-') }} {{ qv | default('-') }}\"}\n"
         "  - include_role: {name: q, public: true}\n"
         "  - debug: {msg: \"public {{ qd | default('-') }} {{ qv | default('-') }}\"}\n",
    t="- debug: {msg: \"t {{ x }}\"}\n- debug: {msg: \"t task {{ x }}\"}\n  vars: {x: task}\n",
    roles__r__tasks__main="- debug: {msg: \"r {{ x }} {{ rd }} {{ rv }}\"}\n",
    roles__r__defaults__main="rd: r_default\nx: r_default\n", roles__r__vars__main="rv: r_vars\n",
    roles__q__tasks__main="- debug: {msg: \"q {{ qd }} {{ qv }}\"}\n",
    roles__q__defaults__main="qd: q_default\n", roles__q__vars__main="qv: q_vars\n",
)
MAGIC = ["inventory_hostname", "inventory_hostname_short", "group_names", "groups", "playbook_dir", "inventory_dir", "inventory_file",
         "play_hosts", "ansible_play_hosts", "ansible_play_hosts_all", "ansible_play_batch", "ansible_play_name",
         "ansible_play_role_names", "role_name", "role_path", "ansible_role_name", "ansible_collection_name", "ansible_parent_role_names",
         "ansible_parent_role_paths", "ansible_search_path", "ansible_dependent_role_names", "ansible_role_names | sort", "environment",
         "hostvars | list", "ansible_facts", "ansible_check_mode", "ansible_diff_mode", "ansible_limit | default('-')",
         "ansible_run_tags", "ansible_skip_tags", "ansible_forks", "ansible_verbosity", "ansible_version.full", "inventory_hostname == hostvars[inventory_hostname].inventory_hostname"]
MAGIC_TASKS = "".join("- debug: {msg: \"%s={{ %s | to_json }}\"}\n" % (m.split(" ")[0], m if "role_" not in m or "names" in m.split(" ")[0] and "parent" not in m else "(" + m + " | default('-'))") for m in MAGIC)
variables(
    "magic", ["-l", "h1.example"],
    site="- hosts: all\n  name: play name\n  gather_facts: false\n  environment: {A: play}\n  roles: [r]\n  tasks:\n  - import_tasks: sub/m.yml\n  - include_role: {name: s}\n",
    sub__m=MAGIC_TASKS.replace("debug: {", "debug: {", 1),
    roles__r__tasks__main="- import_tasks: m.yml\n- include_role: {name: s}\n", roles__r__tasks__m=MAGIC_TASKS, roles__r__meta__main="dependencies: [dep]\n",
    roles__dep__tasks__main=MAGIC_TASKS, roles__s__tasks__main=MAGIC_TASKS,
    **{"hosts": "h1.example ansible_connection=local\n[g2]\nh1.example\n[g1]\nh1.example\nh2\n[p:children]\ng1\n"},
)
variables(
    "magic in extra vars", ["-e", "inventory_hostname=x playbook_dir=y role_name=z ansible_check_mode=q environment=w groups=g group_names=n inventory_dir=d"],
    site="- hosts: all\n  gather_facts: false\n  vars: {inventory_hostname: pv, ansible_forks: pv}\n  tasks:\n  - debug: {msg: \"{{ inventory_hostname }} {{ playbook_dir }} {{ role_name }} {{ ansible_check_mode }} {{ environment }} {{ groups | list }} {{ ansible_forks }} {{ group_names }} {{ inventory_dir }}\"}\n",
)
variables(
    "hash merge", ["-e", '{"h": {"e": 1, "x": {"e": 1}}}'], {"ANSIBLE_HASH_BEHAVIOUR": "merge"},
    site="- hosts: all\n  gather_facts: false\n  vars: {h: {p: 1, x: {p: 1}}, l: [1]}\n  tasks:\n  - debug: {msg: \"{{ h | to_json }} {{ l }}\"}\n    vars: {h: {t: 1, x: {t: 1}}, l: [2]}\n",
    host_vars__h1="h: {v: 1, x: {v: 1, e: 0}}\n",
)
variables(
    "vars files",
    site="- hosts: all\n  gather_facts: false\n  vars: {which: two}\n  vars_files:\n  - one.yml\n  - ['nope.yml', '{{ which }}.yml', 'one.yml']\n  - '{{ later }}.yml'\n  tasks:\n  - debug: {msg: \"{{ a }} {{ b }} {{ c }}\"}\n",
    one="a: one\nb: one\nlater: three\n", two="b: two\n", three="c: three\n",
)
variables(
    "import_playbook",
    site="- import_playbook: sub/b.yml\n  vars: {x: import, z: import}\n  when: cond | default(true)\n  tags: t\n- import_playbook: sub/b.yml\n  vars: {x: import2}\n  when: false\n",
    sub__b="- hosts: all\n  gather_facts: false\n  vars: {x: play, y: play}\n  tasks:\n  - debug: {msg: \"{{ x }} {{ y }} {{ z | default('-') }} {{ playbook_dir }}\"}\n",
)
variables(
    "inventory_hostname in play vars",
    site="- hosts: all\n  gather_facts: false\n  vars: {inventory_hostname: pv, group_names: gn, inventory_file: f, inventory_hostname_short: s}\n  tasks:\n  - debug: {msg: \"{{ inventory_hostname }} {{ group_names }} {{ inventory_file }} {{ inventory_hostname_short }} {{ hostvars | list }}\"}\n",
    group_vars__all="inventory_hostname: gv\n",
)
variables(
    "inventory_hostname in host vars",
    site="- hosts: all\n  gather_facts: false\n  tasks:\n  - debug: {msg: \"{{ inventory_hostname }} {{ group_names }}\"}\n",
    group_vars__all="inventory_hostname: gv\ngroup_names: gv\n", host_vars__h1="inventory_hostname: hv\n",
)
variables(
    "facts", [],
    site="- hosts: all\n  gather_facts: false\n  tasks:\n  - set_fact: {cacheable: true, ansible_foo: 1, bar: 2}\n  - set_fact: {baz: 3}\n"
         "  - debug: {msg: \"{{ ansible_facts | to_json }} {{ ansible_foo }} {{ bar }} {{ baz }} {{ hostvars.h1.ansible_facts | to_json }} {{ hostvars.h1.bar }}\"}\n",
)
variables(
    "params of includes",
    site="- hosts: all\n  gather_facts: false\n  tasks:\n  - include_tasks: t.yml\n    loop: [1, 2]\n  - include_tasks: t.yml\n    loop: [3]\n    loop_control: {loop_var: it}\n    vars: {item: v}\n"
         "  - include_role: {name: r}\n    loop: [4]\n    vars: {x: '{{ item }}'}\n",
    t="- debug: {msg: \"{{ item }} {{ it | default('-') }}\"}\n- include_tasks: u.yml\n  vars: {inner: 'i{{ item }}'}\n",
    u="- debug: {msg: \"u {{ item }} {{ inner }}\"}\n",
    roles__r__tasks__main="- debug: {msg: \"{{ x }} {{ item }}\"}\n",
)
