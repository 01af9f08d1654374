//! The graph of a play of a run.

use std::rc::Rc;
use std::sync::Arc;

use lang::keywords::Keyword;
use lang::playbook::Play;
use lang::vars::{PlayVars, RunState};
use lang::{Error, Result};

use super::{Graph, Look, describe};
use crate::evaluate::Context;
use crate::program::{BlockNode, TaskNode};
use crate::run::Run;
use crate::settings::text_of;
use crate::world::Ahead;
use crate::{ahead, include, plays};

impl Run {
    /// The graph of a play, without running anything, as `host` or else its first host meets it. Every error.
    pub fn graph(self: &Rc<Self>, play: &Arc<Play>, host: Option<&str>) -> Result<Graph, Vec<Error>> {
        let one = |e| vec![e];
        let vars = Arc::new(PlayVars::new(play.clone(), play.prompt_defaults()));
        let scope = self.play_scope(&vars);
        let host = match host {
            Some(host) => Some(host.to_owned()),
            None => self.hosts_of(play, &scope).map_err(one)?.into_iter().next(),
        };
        if let Some(host) = &host {
            let read = self.world.change_inventory(|inventory| {
                inventory.read_vars_files(Some(&play.basedir), self.secrets.as_deref(), self.vars.merge)
            });
            read.map_err(one)?;
            self.load_facts(host);
            // Files that facts name are not known yet.
            if !play.vars_files().iter().any(lang::Value::has_template) {
                self.read_vars_files(play, &vars, host).map_err(one)?;
            }
        }
        let limits = self.limits(play, &scope).map_err(one)?;
        let root = self.program(play, &limits, &scope).map_err(one)?;
        let handlers = include::handler_nodes(&play.handlers);
        let mut graph = self.graph_of(play, &vars, host.as_deref().unwrap_or_default(), &root, &handlers)?;
        graph.name = match &play.name {
            Some(name) => {
                self.templar.render(name, &scope).map_or_else(|_| text_of(name), |name| text_of(&name))
            }
            None => plays::patterns(&self.templar, &play.hosts, &scope).map_err(one)?.join(","),
        };
        let strategy = plays::play_keyword(play, &self.templar, &scope, Keyword::Strategy).map_err(one)?;
        graph.strategy = strategy.map_or(self.options.strategy.clone(), |s| text_of(&s));
        graph.host = host;
        Ok(graph)
    }

    /// The graph of a program.
    pub fn graph_of(
        &self,
        play: &Arc<Play>,
        vars: &Arc<PlayVars>,
        host: &str,
        root: &BlockNode,
        handlers: &[Arc<TaskNode>],
    ) -> Result<Graph, Vec<Error>> {
        let known = self.world.host_vars(host);
        let state: Arc<dyn RunState> = Arc::new(Ahead {
            now: self.world.clone(),
            host: host.to_owned(),
            facts_pending: known.facts().is_empty(),
            vars: known,
            pending: Arc::new(ahead::names_set(play)),
            elsewhere: Arc::new(ahead::names_set(play)),
            facts_elsewhere: true,
            controller_busy: false,
        });
        let ctx = Context {
            options: self.options.clone(),
            templar: self.templar.clone(),
            hooks: self.hooks.clone(),
            run: self.vars.clone(),
            play: vars.clone(),
        };
        let mut errors = Vec::new();
        let specs = describe(&Look { ctx, state, host: host.to_owned() }, root, handlers, &mut errors);
        match Graph::build(&specs) {
            Ok(graph) if errors.is_empty() => Ok(graph),
            Ok(_) => Err(errors),
            Err(more) => {
                errors.extend(more);
                Err(errors)
            }
        }
    }
}
