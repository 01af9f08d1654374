//! The templar: renders templates and evaluates expressions, for all hosts.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use minijinja::syntax::SyntaxConfig;

use crate::error::ErrorKind;
use crate::template::circles::Call;
use crate::template::env::{Env, Limits};
use crate::template::eval::args::Args;
use crate::template::eval::finalize::finalize;
use crate::template::eval::frame::{Context, Frame};
use crate::template::eval::output::Output;
use crate::template::eval::{self, locate, ops, statements};
use crate::template::object::{Fail, R, V};
use crate::template::scope::{Outside, Scope};
use crate::template::syntax::ast::{Expr, StmtKind, Template};
use crate::template::syntax::{self, Syntax, SyntaxError};
use crate::template::{file, filters, functions, lookups, tests};
use crate::value::{VaultText, may_be_template};
use crate::{Error, Map, Pos, Result, Str, Value};

/// Steps of one call; about a minute's work.
const FUEL: u64 = 100_000_000;
/// Bytes that one call may produce.
const BYTES: u64 = 512 * 1024 * 1024;
/// Compiled templates kept.
const CACHE: usize = 20_000;

type Decrypt = Box<dyn Fn(&VaultText) -> Result<String> + Send + Sync>;
type Warn = Box<dyn Fn(&str, Option<&Pos>) + Send + Sync>;

/// What a templar is made with.
#[derive(Default)]
pub struct TemplarOptions {
    /// `ALLOW_BROKEN_CONDITIONALS`: a condition that is not a boolean is a warning instead of an error.
    pub allow_broken_conditionals: bool,
    /// Decrypts `!vault` strings.
    pub decrypt: Option<Decrypt>,
    /// Processes and the network, for the lookups `pipe` and `url`.
    pub outside: Option<Arc<dyn Outside>>,
    /// Takes warnings: broken conditions, templates inside constants.
    pub warn: Option<Warn>,
    /// Takes what will no longer be possible one day.
    pub deprecate: Option<Warn>,
    /// Warn of values that look like templates and are not rendered, because nobody trusts where they come from.
    pub warn_of_untrusted: bool,
    /// Configuration that the `config` lookup and some filters read, by upper-case name.
    pub config: Map,
    /// Where each of these settings comes from, for those that are no default.
    pub config_origins: Map,
}

/// What all calls share.
pub(crate) struct Shared {
    pub options: TemplarOptions,
    pub syntax: Arc<Syntax>,
    pub expression_syntax: Arc<Syntax>,
    templates: RwLock<HashMap<Arc<str>, Arc<Template>>>,
    expressions: RwLock<HashMap<Arc<str>, Arc<Expr>>>,
    pub regexes: Mutex<HashMap<String, Arc<fancy_regex::Regex>>>,
}

/// Renders templates and evaluates expressions as Ansible 2.19 does. Shared by all hosts.
pub struct Templar {
    shared: Arc<Shared>,
}

/// How a template file is to be read; what a `#jinja2:` line in it says comes on top.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateOptions {
    pub newline_sequence: String,
    pub block_start_string: String,
    pub block_end_string: String,
    pub variable_start_string: String,
    pub variable_end_string: String,
    pub comment_start_string: String,
    pub comment_end_string: String,
    pub line_statement_prefix: Option<String>,
    pub line_comment_prefix: Option<String>,
    pub trim_blocks: bool,
    pub lstrip_blocks: bool,
    pub keep_trailing_newline: bool,
    /// Names that this file sees besides the scope's: `ansible_managed`, `template_path` ...
    pub vars: Map,
}

impl Default for TemplateOptions {
    fn default() -> Self {
        Self {
            newline_sequence: "\n".into(),
            block_start_string: "{%".into(),
            block_end_string: "%}".into(),
            variable_start_string: "{{".into(),
            variable_end_string: "}}".into(),
            comment_start_string: "{#".into(),
            comment_end_string: "#}".into(),
            line_statement_prefix: None,
            line_comment_prefix: None,
            trim_blocks: true,
            lstrip_blocks: false,
            keep_trailing_newline: false,
            vars: Map::new(),
        }
    }
}

fn playbook_syntax(expression: bool) -> Syntax {
    let mut builder = SyntaxConfig::builder();
    builder.trim_blocks(true);
    Syntax { config: builder.build().unwrap_or_default(), escapes: false, expression }
}

impl Shared {
    fn new(options: TemplarOptions) -> Arc<Self> {
        Arc::new(Self {
            options,
            syntax: Arc::new(playbook_syntax(false)),
            expression_syntax: Arc::new(playbook_syntax(true)),
            templates: RwLock::default(),
            expressions: RwLock::default(),
            regexes: Mutex::default(),
        })
    }

    pub fn decrypt(&self, text: &VaultText) -> Result<String> {
        match &self.options.decrypt {
            Some(decrypt) => decrypt(text).map_err(|e| e.at(text.pos.as_ref())),
            None => Err(Error::new("Attempting to decrypt but no vault secrets found.")
                .with_kind(ErrorKind::NoSecrets)
                .at(text.pos.as_ref())),
        }
    }

    /// Warn of what ansible-core 2.23 will no longer take.
    pub fn deprecate(&self, message: &str, pos: Option<&Pos>) {
        if let Some(deprecate) = &self.options.deprecate {
            deprecate(
                &format!("{message} This feature will be removed from ansible-core version 2.23."),
                pos,
            );
        }
    }

    /// Text that is taken as it is.
    pub fn note_untrusted(&self, text: &Str) {
        if self.options.warn_of_untrusted
            && !text.is_template()
            && crate::value::may_be_template(text.as_str())
        {
            self.warn("Encountered untrusted template or expression.", text.pos());
        }
    }

    pub fn warn(&self, message: &str, pos: Option<&Pos>) {
        if let Some(warn) = &self.options.warn {
            warn(message, pos);
        }
    }

    /// A template of a playbook, parsed once.
    pub fn compile(&self, text: &str, pos: Option<&Pos>) -> Result<Arc<Template>> {
        if let Some(known) = self.templates.read().unwrap_or_else(PoisonError::into_inner).get(text) {
            return Ok(known.clone());
        }
        let template = self.compile_with(text, &self.syntax, pos)?;
        let mut cache = self.templates.write().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= CACHE {
            cache.clear();
        }
        cache.insert(text.into(), template.clone());
        Ok(template)
    }

    pub fn compile_with(&self, text: &str, syntax: &Syntax, pos: Option<&Pos>) -> Result<Arc<Template>> {
        let template =
            syntax::parse(text, syntax).map_err(|e| syntax_error("Syntax error in template", &e, pos))?;
        Ok(Arc::new(template))
    }

    pub fn compile_expression(&self, text: &str, pos: Option<&Pos>) -> Result<Arc<Expr>> {
        if let Some(known) = self.expressions.read().unwrap_or_else(PoisonError::into_inner).get(text) {
            return Ok(known.clone());
        }
        let expr = syntax::parse_expression(text, &self.expression_syntax).map_err(|e| {
            let start = if may_be_template(text) {
                "Syntax error in expression. Template delimiters are not supported in expressions"
            } else {
                "Syntax error in expression"
            };
            syntax_error(start, &e, pos)
        })?;
        let expr = Arc::new(expr);
        let mut cache = self.expressions.write().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= CACHE {
            cache.clear();
        }
        cache.insert(text.into(), expr.clone());
        Ok(expr)
    }
}

fn syntax_error(start: &str, error: &SyntaxError, pos: Option<&Pos>) -> Error {
    let at = pos.map(|p| Pos { line: p.line.saturating_add(error.line.saturating_sub(1)), ..p.clone() });
    let out = Error::new(format!("{start}: {}", error.message)).with_kind(ErrorKind::Syntax).at(at.as_ref());
    match unknown_name(&error.message) {
        Some(help) => out.with_help(help),
        None => out,
    }
}

/// "did you mean" for an unknown filter or test.
fn unknown_name(message: &str) -> Option<String> {
    let (names, rest): (Vec<&str>, _) = if let Some(rest) = message.strip_prefix("No filter named '") {
        (filters::names(), rest)
    } else {
        (tests::names(), message.strip_prefix("No test named '")?)
    };
    let wanted = rest.split('\'').next()?;
    let best = crate::template::suggest::nearest(wanted, names)?;
    Some(format!("did you mean `{best}`?"))
}

fn untrusted() -> Error {
    Error::new("Encountered untrusted template or expression.").with_help(
        "Templates and expressions must be defined by trusted sources such as playbooks or roles, not untrusted \
         sources such as module results.",
    )
}

/// A failure as the error that the user sees.
pub(crate) fn finish(fail: Fail, pos: Option<&Pos>) -> Error {
    match locate(fail, pos, 1) {
        Fail::Error(error) => error,
        Fail::Undefined(undef) => Error::new(undef.message.to_string())
            .with_kind(ErrorKind::Undefined)
            .at(undef.pos.as_ref())
            .at(pos),
        Fail::Python(message) => Error::new(format!("Error rendering template: {message}")).at(pos),
    }
}

impl Default for Templar {
    fn default() -> Self {
        Self::new(TemplarOptions::default())
    }
}

impl Templar {
    pub fn new(options: TemplarOptions) -> Self {
        Self { shared: Shared::new(options) }
    }

    fn env(&self, scope: &Arc<dyn Scope>) -> Call {
        Env::begin(self.shared.clone(), scope.clone(), Limits::new(FUEL, BYTES))
    }

    /// The value with everything in it rendered and decrypted. Strings that are not templates stay as they are.
    /// The keys of dictionaries are rendered, too, where they are templates of the user.
    pub fn render(&self, value: &Value, scope: &Arc<dyn Scope>) -> Result<Value> {
        if !value.has_template() {
            return Ok(value.clone());
        }
        let env = self.env(scope);
        self.render_in(value, &env)
    }

    fn render_in(&self, value: &Value, env: &Rc<Env>) -> Result<Value> {
        match value {
            Value::Str(text) => self.render_one(text, env),
            Value::List(items) => {
                let mut out = Vec::with_capacity(items.len());
                for item in items.iter() {
                    match self.render_in(item, env)? {
                        Value::Omit => {}
                        value => out.push(value),
                    }
                }
                Ok(Value::list(out))
            }
            Value::Map(map) => {
                let mut out = Map::with_capacity(map.len());
                for (key, value) in map.iter() {
                    match self.render_in(value, env)? {
                        Value::Omit => {}
                        value => {
                            out.insert(key.clone(), value);
                        }
                    }
                }
                Ok(Value::map(out))
            }
            Value::Vault(_) => {
                let value = V::lazy(value, env);
                value.force().and_then(|v| finalize(&v)).map_err(|fail| finish(fail, None))
            }
            other => Ok(other.clone()),
        }
    }

    fn render_one(&self, text: &Str, env: &Rc<Env>) -> Result<Value> {
        if !text.has_template() {
            return Ok(Value::Str(text.clone()));
        }
        eval::render_text(env, text).and_then(|v| finalize(&v)).map_err(|fail| finish(fail, text.pos()))
    }

    /// One string.
    pub fn render_str(&self, text: &Str, scope: &Arc<dyn Scope>) -> Result<Value> {
        if !text.has_template() {
            return Ok(Value::Str(text.clone()));
        }
        self.render_one(text, &self.env(scope))
    }

    /// A bare expression, without delimiters.
    pub fn evaluate(&self, expression: &str, scope: &Arc<dyn Scope>, pos: Option<&Pos>) -> Result<Value> {
        let env = self.env(scope);
        self.expression(expression, &env, pos, false)
            .and_then(|v| finalize(&v))
            .map_err(|fail| finish(fail, pos))
    }

    fn expression(&self, expression: &str, env: &Rc<Env>, pos: Option<&Pos>, in_condition: bool) -> R<V> {
        let expr = self.shared.compile_expression(expression, pos)?;
        let mut context = Context::new(env.clone(), None, self.shared.syntax.clone());
        context.render_constants = in_condition;
        let frame = Frame::root(Rc::new(context));
        env.limits.deeper(|| eval::eval(&expr, &frame)).map_err(|fail| locate(fail, pos, 1))
    }

    /// One entry of `when`, `failed_when`, `until`: an expression whose value must be a boolean.
    pub fn condition(&self, value: &Value, scope: &Arc<dyn Scope>) -> Result<bool> {
        let (text, pos) = match value {
            Value::Bool(b) => return Ok(*b),
            Value::Str(text) => (text.as_str(), text.pos()),
            Value::Null => return self.broken(false, "Empty conditional expressions are not allowed.", None),
            other => {
                let truth = other.is_truthy();
                return self.broken(truth, "Conditional expressions must be strings.", None);
            }
        };
        if text.is_empty() {
            return self.broken(true, "Empty conditional expressions are not allowed.", pos);
        }
        if matches!(value, Value::Str(text) if !text.is_template()) {
            return Err(untrusted().at(pos));
        }
        let env = self.env(scope);
        let result = self.condition_value(value, text, pos, &env);
        let value = result.and_then(|v| match v.force()? {
            V::Undef(undef) => Err(Fail::Undefined(undef)),
            V::Omit => Err(Error::new("A template was resolved to an Omit scalar.").into()),
            other => Ok(other),
        });
        let value = value.map_err(|fail| {
            let undefined = matches!(fail, Fail::Undefined(_));
            let error = finish(fail, pos);
            if undefined {
                let message = format!("Error while evaluating conditional: {}", error.message());
                let at = error.pos().cloned();
                Error::new(message).with_kind(ErrorKind::Undefined).at(at.as_ref())
            } else {
                error
            }
        })?;
        if let V::Bool(b) = value {
            return Ok(b);
        }
        let truth = ops::truth(&value).map_err(|fail| finish(fail, pos))?;
        let origin = pos.map_or_else(|| "<unknown>".to_string(), ToString::to_string);
        self.broken(
            truth,
            &format!(
                "Conditional result ({}) was derived from value of type '{}' at '{origin}'. Conditionals must have a boolean result.",
                if truth { "True" } else { "False" },
                value.type_name(),
            ),
            pos,
        )
    }

    /// A condition's value; one that is wholly a template (`{{ ... }}`) is rendered first, and text that comes
    /// out of that, written by the user, is an expression again.
    fn condition_value(&self, value: &Value, text: &str, pos: Option<&Pos>, env: &Rc<Env>) -> R<V> {
        let trimmed = text.trim();
        if let Value::Str(source) = value
            && source.has_template()
            && (trimmed.starts_with("{{") || trimmed.starts_with("{%"))
            && let Ok(template) = self.shared.compile(trimmed, pos)
            && template.body.len() == 1
            && !matches!(template.body[0].kind, StmtKind::Text(_))
        {
            self.shared.deprecate(
                "Conditionals should not be surrounded by templating delimiters such as {{ }} or {% %}.",
                pos,
            );
            let inner = Str::template(trimmed, source.shared_pos());
            let result = eval::render_text(env, &inner)?.force()?;
            return match &result {
                V::Str(expression) if expression.is_template() => {
                    self.expression(expression.as_str(), env, expression.pos(), true)
                }
                V::Str(expression)
                    if self.shared.options.allow_broken_conditionals && !expression.as_str().is_empty() =>
                {
                    Ok(V::Str(expression.clone()))
                }
                V::Str(_) => Err(untrusted().at(pos).into()),
                _ => Ok(result),
            };
        }
        self.expression(text, env, pos, true)
    }

    fn broken(&self, truth: bool, message: &str, pos: Option<&Pos>) -> Result<bool> {
        if self.shared.options.allow_broken_conditionals {
            self.shared.deprecate(message, pos);
            return Ok(truth);
        }
        let help = "a condition must be an expression whose value is true or false: compare (`x == 1`), test \
                    (`x is defined`), or convert (`x | bool`)";
        Err(Error::new(message).at(pos).with_help(help))
    }

    /// A template file: the whole text of the result.
    pub fn render_template(
        &self,
        source: &str,
        file: &Path,
        options: &TemplateOptions,
        scope: &Arc<dyn Scope>,
    ) -> Result<String> {
        Ok(match self.render_template_value(source, file, options, scope)? {
            Value::Null | Value::Omit => String::new(),
            value => crate::template::python_str(&value),
        })
    }

    /// A template file whose result is native where it is one expression, as the lookup `template` gives it.
    pub fn render_template_value(
        &self,
        source: &str,
        file: &Path,
        options: &TemplateOptions,
        scope: &Arc<dyn Scope>,
    ) -> Result<Value> {
        let call = self.env(scope);
        let env = Env::for_template(&call, file, &options.vars);
        let pos = Pos { file: file.into(), line: 1, column: 1 };
        let value = render_file(&self.shared, source, file, options, &env)?;
        finalize(&value).map_err(|fail| finish(fail, Some(&pos)))
    }

    /// Is the text a template that parses?
    pub fn check_syntax(&self, text: &str, pos: Option<&Pos>) -> Result<()> {
        self.shared.compile(text, pos).map(|_| ())
    }

    /// Is the text an expression that parses?
    pub fn check_expression(&self, text: &str, pos: Option<&Pos>) -> Result<()> {
        self.shared.compile_expression(text, pos).map(|_| ())
    }

    /// A lookup, as `with_NAME` and `query` call it; `terms` are finished values.
    pub fn lookup(
        &self,
        name: &str,
        terms: Vec<Value>,
        options: &Map,
        scope: &Arc<dyn Scope>,
    ) -> Result<Vec<Value>> {
        let env = self.env(scope);
        let terms: Vec<V> = terms.iter().map(|v| V::lazy(v, &env)).collect();
        let mut args = Args::new(terms);
        for (key, value) in options {
            if let Some(key) = key.as_str() {
                args.kw.push((key.into(), V::lazy(value, &env)));
            }
        }
        let items = lookups::run(name, args, &env).map_err(|fail| finish(fail, None))?;
        items.iter().map(|item| finalize(item).map_err(|fail| finish(fail, None))).collect()
    }

    pub fn is_known_lookup(name: &str) -> bool {
        lookups::is_known(name)
    }

    pub fn known_filters() -> Vec<&'static str> {
        filters::names()
    }

    pub fn known_tests() -> Vec<&'static str> {
        tests::names()
    }

    pub fn known_lookups() -> Vec<&'static str> {
        lookups::names()
    }

    pub fn known_functions() -> Vec<&'static str> {
        functions::names()
    }
}

/// Render the text of a template file. The result is native, as that of a string in a playbook.
pub(crate) fn render_file(
    shared: &Arc<Shared>,
    source: &str,
    path: &Path,
    options: &TemplateOptions,
    env: &Rc<Env>,
) -> Result<V> {
    let outer = options.newline_sequence.as_str();
    let mut options = options.clone();
    let (body, first_line) = file::read_header(source, &mut options).map_err(|error| {
        Error::new(format!("Syntax error in template: {}", error.message())).with_kind(ErrorKind::Syntax)
    })?;
    let syntax = Arc::new(file::syntax_of(&options)?);
    let pos = Pos { file: path.into(), line: first_line, column: 1 };
    if body.is_empty() {
        return Ok(V::str(""));
    }
    let body = body.replace("\r\n", "\n").replace('\r', "\n");
    let template = shared.compile_with(&body, &syntax, Some(&pos))?;
    let context = Rc::new(Context::new(env.clone(), Some(path.to_path_buf()), syntax));
    let frame = Frame::root(context.clone());
    let result = env.limits.deeper(|| {
        let mut out = Output::default();
        statements::run_template(&template, &frame, &mut out)?;
        Ok(out.finish())
    });
    let value = result.map_err(|fail| finish(locate(fail, Some(&pos), context.line.get()), Some(&pos)))?;
    let V::Str(text) = &value else { return Ok(value) };
    let text = text.as_str();
    let ending = if options.keep_trailing_newline { text } else { &body };
    let restored = eval::restore_newlines(ending, Str::plain(text));
    // What is put back at the end is as the caller said, whatever the header says.
    let missing = restored.as_str().len() - text.len();
    let text = text.replace('\n', &options.newline_sequence);
    Ok(V::Str(Str::plain(text + &outer.repeat(missing))))
}

/// Where the `template` lookup and module look for what a template includes.
pub(crate) fn template_dir(file: &Path) -> Option<PathBuf> {
    file.parent().map(Path::to_path_buf)
}
