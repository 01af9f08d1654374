//! The table of keywords.

use super::Inherit::{Append, No, Override, Prepend};
use super::Place::{Block, Handler, Play, Role, Task};
use super::{Entry, Inherit, Kind, Place};

/// Everything that can be written on everything.
const ALL: &[Place] = &[Play, Role, Block, Task, Handler];
const BELOW_PLAY: &[Place] = &[Role, Block, Task, Handler];
const NOT_HANDLED_BY_ROLES: &[Place] = &[Block, Task, Handler];
const TASKS: &[Place] = &[Task, Handler];
const ONLY_TASKS: &[Place] = &[Task];
const PLAYS: &[Place] = &[Play];
const BLOCKS: &[Place] = &[Block];

macro_rules! keywords {
    ($($variant:ident $name:literal $kind:ident $places:ident $inherit:ident $doc:literal;)*) => {
        /// A keyword of the language.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Keyword {
            $(#[doc = $doc] $variant,)*
        }

        /// Every keyword, by name; in the order of [`Keyword`].
        pub static TABLE: &[Entry] = &[$(Entry {
            keyword: Keyword::$variant,
            name: $name,
            kind: Kind::$kind,
            places: $places,
            inherit: INHERIT_AS[Inherit::$inherit as usize],
            doc: $doc,
        },)*];
    };
}

/// Lets the table name the rules without their path.
const INHERIT_AS: [Inherit; 4] = [No, Override, Append, Prepend];

keywords! {
    Action "action" Text TASKS No "The module to run, as `module key=value` or as a dictionary with `module` in it.";
    Always "always" Structure BLOCKS No "Tasks that run at the end of a block, whatever happened in it.";
    AnyErrorsFatal "any_errors_fatal" Bool ALL Override "A failure on one host ends the play for all hosts.";
    Args "args" Dict TASKS No "More arguments of the module, as a dictionary.";
    Async "async" Int TASKS No "Run in the background, for this many seconds at most.";
    Become "become" Bool ALL Override "Run as another user.";
    BecomeExe "become_exe" Text ALL Override "The program that changes the user.";
    BecomeFlags "become_flags" Text ALL Override "Options for the program that changes the user.";
    BecomeMethod "become_method" Text ALL Override "How to change the user: sudo, su, doas.";
    BecomeUser "become_user" Text ALL Override "The user to run as; root if it is not said.";
    Block "block" Structure BLOCKS No "The tasks of a block.";
    ChangedWhen "changed_when" Conditions TASKS No "What decides whether the task counts as changed.";
    CheckMode "check_mode" Bool ALL Override "Only work out what would change, or (false) change even in check mode.";
    Collections "collections" List ALL Override "Where to look for modules and roles whose names have no collection.";
    Connection "connection" Text ALL Override "The way to reach the host: ssh, local, docker, chroot.";
    Debugger "debugger" Text ALL Override "When to stop and let the user look: always, never, on_failed, on_skipped, on_unreachable.";
    Delay "delay" Float TASKS No "Seconds between two attempts of `until`.";
    DelegateFacts "delegate_facts" Bool BELOW_PLAY Override "Facts belong to the host that the task is delegated to.";
    DelegateTo "delegate_to" Text BELOW_PLAY Override "The host to run on instead of the host of the play.";
    Diff "diff" Bool ALL Override "Show what changed.";
    Environment "environment" Dicts ALL Prepend "Environment variables of the module on the host.";
    FactPath "fact_path" Text PLAYS No "Where local facts are, for gathering at the start of the play.";
    FailedWhen "failed_when" Conditions TASKS No "What decides whether the task counts as failed.";
    ForceHandlers "force_handlers" Bool PLAYS No "Run handlers that were notified even on hosts that failed.";
    GatherFacts "gather_facts" Bool PLAYS No "Gather facts at the start of the play.";
    GatherSubset "gather_subset" List PLAYS No "Which facts to gather at the start of the play.";
    GatherTimeout "gather_timeout" Int PLAYS No "Seconds that gathering at the start of the play may take.";
    Handlers "handlers" Structure PLAYS No "Tasks that run when they are notified.";
    Hosts "hosts" List PLAYS No "The hosts and groups of the play.";
    IgnoreErrors "ignore_errors" Bool ALL Override "Go on after a failure.";
    IgnoreUnreachable "ignore_unreachable" Bool ALL Override "Go on with a host that could not be reached.";
    Listen "listen" List HANDLERS No "Other names by which the handler is notified.";
    LocalAction "local_action" Text TASKS No "As `action`, on the controller.";
    Loop "loop" List TASKS No "Run once for each element of a list.";
    LoopControl "loop_control" Dict TASKS No "Names, labels and pauses of a loop.";
    MaxFailPercentage "max_fail_percentage" Percent PLAYS No "End the play when more than this share of the batch has failed.";
    ModuleDefaults "module_defaults" Dicts ALL Prepend "Arguments that modules take when the task does not give them.";
    Name "name" Text ALL No "What is shown.";
    Needs "needs" List ONLY_TASKS No "Names of tasks that have to be done before, with strategy graph; it then waits for nothing else unless that is known to matter.";
    NoLog "no_log" Bool ALL Override "Do not show arguments and results.";
    Notify "notify" List NOT_HANDLED_BY_ROLES Override "Handlers to run when the task changed something.";
    Order "order" Text PLAYS No "Order of the hosts: inventory, reverse_inventory, sorted, reverse_sorted, shuffle.";
    Poll "poll" Int TASKS No "Seconds between two looks at an `async` task; 0 does not wait for it.";
    Port "port" Int ALL Override "The port to connect to.";
    PostTasks "post_tasks" Structure PLAYS No "Tasks after `tasks`.";
    PreTasks "pre_tasks" Structure PLAYS No "Tasks before the roles.";
    Register "register" Text TASKS No "The variable that takes the result.";
    RemoteUser "remote_user" Text ALL Override "The user to log in as.";
    Rescue "rescue" Structure BLOCKS No "Tasks that run when a task of the block failed.";
    Retries "retries" Int TASKS No "How often `until` tries again.";
    Roles "roles" Structure PLAYS No "The roles of the play.";
    RunOnce "run_once" Bool ALL Override "Run on the first host only, for all of the batch.";
    Serial "serial" List PLAYS No "How many hosts at a time: a number, a percentage, a list of them.";
    Strategy "strategy" Text PLAYS No "In which order hosts and tasks advance: linear, free, host_pinned, debug, graph.";
    Tags "tags" Names ALL Append "Names to select tasks by.";
    Tasks "tasks" Structure PLAYS No "The tasks of the play, after the roles.";
    Throttle "throttle" Int ALL Override "How many hosts may run the task at the same time.";
    Timeout "timeout" Int ALL Override "Seconds that the task may take on a host.";
    Until "until" Conditions TASKS No "Try again until this holds.";
    Vars "vars" Dict ALL No "Variables.";
    VarsFiles "vars_files" List PLAYS No "Files of variables.";
    VarsPrompt "vars_prompt" Structure PLAYS No "Variables that the user is asked for.";
    When "when" Conditions BELOW_PLAY Prepend "Run only if this holds.";
}

const HANDLERS: &[Place] = &[Handler];
