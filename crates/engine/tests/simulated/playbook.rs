//! The play that simulated hosts run: like those of real projects, with something of everything.

use std::fmt::Write as _;
use std::path::Path;

/// Tasks that a converged host finishes, gathering facts included.
pub const TASKS: usize = 51;
/// Tasks that change a host that has drifted.
pub const DRIFTING: usize = 4;
/// So many tasks are done on a host that fails, before it fails.
pub const FAILS_AT: usize = 21;
/// So many tasks are done on a host that is lost, before it is lost.
pub const LOST_AT: usize = 36;

/// A round of five tasks; `{n}` is its number.
const ROUND: &str = "
    - name: Directory {n}
      file:
        path: '{{ app.home }}/{n}'
        state: directory
        owner: '{{ app.user }}'
        mode: '0750'
    - name: Settings {n}
      copy:
        dest: '{{ app.home }}/{n}/settings.conf'
        content: |
          # Of {{ inventory_hostname }}
          port = {{ app.port + {n} }}
          memory = {{ (ansible_facts.memtotal_mb * 0.25) | int }}
          {% for part in app.parts %}
          part.{{ part }} = {{ part in enabled_parts }}
          {% endfor %}
        mode: '0640'
      notify: Restart
    - name: Line {n}
      lineinfile:
        path: '/etc/app/{n}.conf'
        regexp: '^workers ='
        line: 'workers = {{ ansible_facts.processor_vcpus * 2 }}'
      when: ansible_facts.os_family == 'Debian' and 'web' in app.parts
    - name: Database {n}
      command: 'initialise --part {n}'
      args:
        creates: '{{ app.home }}/{n}/database'
    - name: State {n}
      stat:
        path: '{{ app.home }}/{n}/current'
      register: state_{n}
";

/// Write `site.yml` and the inventory `hosts` of `count` hosts.
pub fn write(dir: &Path, count: usize, strategy: &str) -> std::io::Result<()> {
    let mut text = format!(
        "- name: The simulated fleet\n  hosts: all\n  strategy: {strategy}\n  vars:\n    app:\n      home: \
         /srv/app\n      user: app\n      port: 8000\n      parts: [web, worker, cron]\n    enabled_parts: '{{{{ \
         app.parts | difference([\"cron\"]) }}}}'\n  handlers:\n    - name: Restart\n      service:\n        name: \
         app\n        state: restarted\n  tasks:"
    );
    for round in 0..10 {
        text += &ROUND.replace("{n}", &round.to_string());
    }
    std::fs::write(dir.join("site.yml"), text)?;
    let mut hosts = String::from("[app]\n");
    for host in 0..count {
        let _ = writeln!(hosts, "{} rack={}", super::name(host), host % 40);
    }
    hosts += "[app:vars]\nregion=north\n";
    std::fs::write(dir.join("hosts"), hosts)
}

/// The numbers of a task's round and of its place in it, from its module and arguments.
pub fn place(module: &str, args: &protocol::Map) -> Option<(usize, usize)> {
    let place = ["file", "copy", "lineinfile", "command", "stat"].iter().position(|m| *m == module)?;
    let digits = |text: &str| text.chars().find(char::is_ascii_digit).and_then(|c| c.to_digit(10));
    let text = ["path", "dest", "creates"].iter().find_map(|key| args.get(*key)?.as_str())?;
    Some((digits(text)? as usize, place))
}
