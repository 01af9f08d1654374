//! `state: touch`.

use std::fs;

use super::{Call, Sides, add_info};
use crate::files::{State, fail_at};
use crate::{Applied, Host, Plan, Result, result};

pub(super) fn plan(call: Call, host: &Host) -> Result<Plan> {
    let path = call.args.path.0.clone();
    // What a link points to is touched; if there is nothing, it is made.
    if call.before != State::Absent {
        let sides = Sides::with_words(&path, call.before.word(), "touch");
        return call.attributes(host, "dest", result! {"dest": path}, sides);
    }
    let result = result! {"dest": path};
    Ok(Plan::change(result, move |host| {
        call.args.attrs.verify(host, &path)?;
        fs::File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(host.path(&path))
            .map_err(|_| fail_at(host, &path, "Error, could not touch target."))?;
        let mut sides = Sides::with_words(&path, "absent", "touch");
        if let Err(error) = call.finish_new(host, &mut sides) {
            // A file that cannot be made as it should be is not made.
            let _ = fs::remove_file(host.path(&path));
            return Err(error);
        }
        let mut result = result! {};
        add_info(host, "dest", &path, &mut result);
        Ok(Applied { result, final_diff: host.diff().then(|| vec![sides.diff()]), ..Applied::default() })
    }))
}
