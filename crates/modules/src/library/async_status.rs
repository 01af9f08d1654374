//! `async_status`: how is a background job doing?

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::{Effects, Host, Module, ModuleError, Plan, Result, Value, args, fail, json, result};

args! {
    pub struct AsyncStatusArgs {
        /// Identifier of the job: `ansible_job_id` of the task that started it.
        jid: String = required();
        /// `status` asks, `cleanup` removes the file with the result of a finished job.
        mode: String = choices(&["cleanup", "status"]), default("status");
    }
}

/// The file in which a job writes down its state.
pub struct Job(PathBuf);

impl Job {
    /// The job with this identifier, which must be a name, not a path. `None`: it is not, or there is no home.
    pub fn named(jid: &str, host: &Host) -> Option<Self> {
        if jid.is_empty() || jid.starts_with('.') || jid.contains('/') || jid.contains('\0') {
            return None;
        }
        let home = || host.env("HOME").filter(|h| !h.is_empty()).map(PathBuf::from);
        let dir = match host.env("ANSIBLE_ASYNC_DIR") {
            Some(dir) if dir.starts_with('/') => PathBuf::from(dir),
            Some(dir) if dir.starts_with("~/") => home()?.join(&dir[2..]),
            _ => home()?.join(".ansible_async"),
        };
        Some(Self(dir.join(jid)))
    }

    pub fn file(&self) -> &Path {
        &self.0
    }

    /// Write the state, so that whoever reads sees the old one or the new one. Results may be private: 0600.
    pub fn write(&self, state: &Value) -> io::Result<()> {
        use std::os::unix::fs::OpenOptionsExt;
        let beside = self.0.with_file_name(format!(
            ".{}.{}",
            self.0.file_name().unwrap_or_default().to_string_lossy(),
            std::process::id()
        ));
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(state.to_string().as_bytes())?;
        fs::rename(&beside, &self.0)
    }
}

pub struct AsyncStatus;

impl Module for AsyncStatus {
    type Args = AsyncStatusArgs;
    const NAME: &'static str = "async_status";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Ask how a background job is doing, or remove what it left behind.";

    fn effects(_: &AsyncStatusArgs) -> Effects {
        Effects::unknown()
    }

    fn plan(args: AsyncStatusArgs, host: &Host) -> Result<Plan> {
        let jid = args.jid.as_str();
        let job = Job::named(jid, host).ok_or_else(|| not_found(jid, Path::new(jid)))?;
        let path = host.path(job.file());
        let Ok(text) = fs::read_to_string(&path) else { return Err(not_found(jid, job.file())) };
        if args.mode == "cleanup" {
            let mut map =
                result! {"ansible_job_id": jid, "erased": job.file().to_string_lossy(), "changed": false};
            map.extend(result! {"finished": false, "started": false});
            fill(&mut map);
            let check = map.clone();
            let mut plan = Plan::change(map, move |_| {
                fs::remove_file(&path).map_err(|e| fail!("could not remove {}: {e}", path.display()))?;
                Ok(crate::Applied { result: result! {"changed": false}, ..Default::default() })
            });
            plan.check = Some(check);
            return Ok(plan);
        }
        let mut map = match serde_json::from_str(&text) {
            Ok(Value::Object(map)) => map,
            _ => return Err(fail!("Could not parse job output: {text}").with("ansible_job_id", jid)),
        };
        // Only the first state says that it is not the last.
        let finished = map.get("finished").is_none_or(|f| f.as_bool() == Some(true) || f.as_i64() == Some(1));
        map.extend(result! {
            "ansible_job_id": jid, "started": true, "finished": finished,
            "results_file": job.file().to_string_lossy(),
        });
        map.entry("changed").or_insert(false.into());
        fill(&mut map);
        Ok(Plan::unchanged(map))
    }
}

/// Every answer has these.
fn fill(map: &mut crate::Map) {
    for key in ["stdout", "stderr"] {
        let text = map.entry(key).or_insert("".into()).as_str().unwrap_or_default().to_owned();
        let lines: Vec<&str> = text.lines().collect();
        map.entry(format!("{key}_lines")).or_insert(json!(lines));
    }
}

fn not_found(jid: &str, file: &Path) -> ModuleError {
    let mut error = fail!("could not find job").with("ansible_job_id", jid);
    error.result.extend(result! {"started": true, "finished": true, "results_file": file.to_string_lossy()});
    fill(&mut error.result);
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::find;

    /// The keys are those of ansible-core 2.19 for `async: 30, poll: 0` and a job that runs, has ended, is gone.
    #[test]
    fn a_job_is_running_then_finished_then_gone() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("async");
        fs::create_dir(&dir).unwrap();
        let env = [("ANSIBLE_ASYNC_DIR".to_owned(), dir.to_string_lossy().into_owned())].into();
        let host = Host::new(root.path()).with_environment(env);
        let status = |mode: &str| {
            let plan = find("async_status").unwrap().plan;
            let plan = plan(&result! {"jid": "j1.2", "mode": mode}, &host);
            plan.map_or_else(ModuleError::into_outcome, |p| p.carry_out(&host)).result
        };
        let job = Job::named("j1.2", &host).unwrap();
        job.write(&json!({"started": 1, "finished": 0, "ansible_job_id": "j1.2"})).unwrap();
        let file = job.file().to_string_lossy().into_owned();
        let common = result! {"ansible_job_id": "j1.2", "stdout": "", "stdout_lines": json!([]), "stderr": "", "stderr_lines": json!([])};
        let expect = |more: crate::Map| {
            let mut map = common.clone();
            map.extend(more);
            map
        };
        assert_eq!(
            status("status"),
            expect(result! {"changed": false, "started": true, "finished": false, "results_file": file})
        );
        job.write(&json!({"rc": 0, "stdout": "a\nb", "changed": true})).unwrap();
        let done = result! {"changed": true, "started": true, "finished": true, "results_file": file,
        "rc": 0, "stdout": "a\nb", "stdout_lines": json!(["a", "b"])};
        assert_eq!(status("status"), expect(done));
        assert_eq!(
            status("cleanup"),
            expect(result! {"changed": false, "started": false, "finished": false, "erased": file})
        );
        let gone = result! {"changed": false, "failed": true, "msg": "could not find job", "started": true,
        "finished": true, "results_file": file};
        assert_eq!(status("status"), expect(gone));
    }

    #[test]
    fn an_identifier_is_not_a_path() {
        let host = Host::new("/tmp");
        assert!(Job::named("../../etc/passwd", &host).is_none());
        assert!(Job::named(".hidden", &host).is_none());
    }
}
