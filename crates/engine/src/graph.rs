//! The graph of a play: which task has to wait for which, and why.
//!
//! [`describe`] looks at the tasks of a play as a host will meet them and says what each touches, sets, uses,
//! notifies and needs ([`Spec`]). [`Graph::build`] turns that into edges. Whatever is not known keeps the order of
//! the play.

mod arrange;
mod build;
mod critical;
mod describe;
pub mod draw;
mod names;
mod needs;
mod order;
mod play;
mod touches;

use std::fmt;

use lang::Pos;
use modules::Resource;
use petgraph::graph::DiGraph;

pub use arrange::{arrange, check_order};
pub use describe::{Look, barrier, describe};
pub use names::Names;
pub use order::{Behind, Follows, Order, Sent};
pub use touches::Touches;

/// A task as the graph is built from it.
#[derive(Clone, Debug, Default)]
pub struct Spec {
    /// Number of its node in the program of the play.
    pub id: u64,
    pub title: String,
    /// What `needs` and `notify` can call it.
    pub names: Vec<String>,
    pub pos: Option<Pos>,
    pub kind: Kind,
    /// Why everything written before it comes before it, and everything behind it after, whatever it touches.
    pub barrier: Option<String>,
    pub touches: Touches,
    /// Variables it sets.
    pub sets: Vec<String>,
    /// Variables its templates name.
    pub uses: Names,
    /// Handlers it notifies.
    pub notifies: Vec<String>,
    /// There may be others.
    pub notifies_unknown: bool,
    /// `needs`, if it says so at all: names with their positions.
    pub needs: Option<Vec<(String, Pos)>>,
}

/// What stands at a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    Task,
    Handler,
    /// The place where notified handlers run.
    Flush,
}

/// Why a task waits for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// What one of them does is not known, or the play itself turns there.
    Order(String),
    /// Both touch it, and one of them changes it.
    Resource(Resource),
    /// Both install packages, and may do that in one transaction: then they are done at the same time.
    Transaction(Resource),
    /// One sets the variable, the other uses it.
    Data(String),
    /// A handler runs because of the task.
    Notify,
    /// The user says so.
    Needs,
}

/// A node of the graph.
#[derive(Clone, Debug)]
pub struct Node {
    pub id: u64,
    pub title: String,
    pub pos: Option<Pos>,
    pub kind: Kind,
    /// On the critical path of the last run.
    pub critical: bool,
    /// Seconds it took in the last run.
    pub seconds: Option<f64>,
}

/// The graph of a play on one host. Edges lead from a task to those that wait for it; what follows from other
/// edges is left out, unless the user or the data asks for it.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Name of the play.
    pub name: String,
    /// The host whose variables were used, if there was one.
    pub host: Option<String>,
    pub strategy: String,
    /// Nodes are in an order in which they can run.
    pub edges: DiGraph<Node, Vec<Reason>>,
}

impl Reason {
    /// Not in one transaction after all.
    fn keep_apart(&mut self) {
        if let Self::Transaction(resource) = self {
            *self = Self::Resource(resource.clone());
        }
    }

    /// One word for what it is.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Order(_) => "order",
            Self::Resource(_) => "resource",
            Self::Transaction(_) => "transaction",
            Self::Data(_) => "data",
            Self::Notify => "notify",
            Self::Needs => "needs",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(why) => f.write_str(why),
            Self::Resource(resource) => f.write_str(&touches::shown(resource)),
            Self::Transaction(resource) => write!(f, "{}, or in one transaction", touches::shown(resource)),
            Self::Data(name) => write!(f, "variable {name}"),
            Self::Notify => f.write_str("notify"),
            Self::Needs => f.write_str("needs"),
        }
    }
}
