//! The grammar of statements (`{% ... %}`), with Jinja2's own tags and the extensions `do` and loop controls.

use std::sync::Arc;

use super::ast::{Const, Expr, For, Macro, Stmt, StmtKind, Target};
use super::tokens::Tok;
use super::{P, Parser, SyntaxError, quoted};

impl Parser {
    /// Statements until one of the tags in `until` (left unread), or the end of the template if there are none.
    pub(super) fn subparse(&mut self, until: &[&'static str]) -> P<Vec<Stmt>> {
        let mut body = Vec::new();
        loop {
            let line = self.line();
            match self.current().clone() {
                Tok::Text(text) => {
                    self.advance();
                    body.push(Stmt { line, kind: StmtKind::Text(text.into()) });
                }
                Tok::VarBegin => {
                    self.advance();
                    let expr = self.tuple(true, false)?;
                    self.expect(&Tok::VarEnd)?;
                    body.push(Stmt { line, kind: StmtKind::Output(expr) });
                }
                Tok::BlockBegin => {
                    self.advance();
                    if let Tok::Name(name) = self.current()
                        && until.contains(&name.as_str())
                    {
                        return Ok(body);
                    }
                    if let Some(kind) = self.nested(Self::statement)? {
                        body.push(Stmt { line, kind });
                    }
                    self.expect(&Tok::BlockEnd)?;
                }
                Tok::Eof if until.is_empty() => return Ok(body),
                Tok::Eof => return Err(self.unclosed("Unexpected end of template.", None)),
                other => return Err(self.fail(format!("unexpected {}", quoted(&other.describe())))),
            }
        }
    }

    /// The error for a tag nobody waits for, with what is waited for.
    fn unclosed(&self, start: &str, unknown: Option<&str>) -> SyntaxError {
        let mut message = start.to_string();
        if let Some((opener, ends)) = self.ends.last() {
            let looking: Vec<String> = ends.iter().map(|e| format!("'{e}'")).collect();
            let looking = looking.join(" or ");
            let misplaced = unknown.is_some_and(|tag| self.ends.iter().any(|(_, ends)| ends.contains(&tag)));
            message.push_str(&if misplaced {
                format!(" You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for {looking}.")
            } else {
                format!(" Jinja was looking for the following tags: {looking}.")
            });
            message.push_str(&format!(" The innermost block that needs to be closed is '{opener}'."));
        }
        self.fail(message)
    }

    /// The body of a block up to one of `ends`; the end tag's name is returned, already read.
    fn block_body(&mut self, opener: &str, ends: &[&'static str]) -> P<(Vec<Stmt>, String)> {
        // A colon at the end of a block is tolerated, for users of Python.
        self.skip_op(":");
        self.expect(&Tok::BlockEnd)?;
        self.ends.push((opener.to_string(), ends.to_vec()));
        let body = self.subparse(ends)?;
        self.ends.pop();
        let end = self.expect_name()?;
        Ok((body, end))
    }

    fn statement(&mut self) -> P<Option<StmtKind>> {
        let Tok::Name(tag) = self.current().clone() else {
            return Err(self.fail("tag name expected"));
        };
        let line = self.line();
        self.advance();
        Ok(Some(match tag.as_str() {
            "for" => self.for_loop()?,
            "if" => self.if_block()?,
            "set" => self.set()?,
            "with" => self.with()?,
            "block" => self.block()?,
            "extends" => {
                self.has_blocks = true;
                StmtKind::Extends(self.expression(true)?)
            }
            "include" => self.include()?,
            "import" => self.import()?,
            "from" => self.import_from()?,
            "macro" => {
                let name = self.assign_name()?;
                StmtKind::Macro(Arc::new(self.macro_rest(name, "macro", "endmacro")?))
            }
            "call" => self.call_block()?,
            "filter" => {
                let filter = self.filter_chain(false)?;
                let (body, _) = self.block_body("filter", &["endfilter"])?;
                StmtKind::FilterBlock { filter, body }
            }
            "autoescape" => {
                self.expression(true)?;
                let (body, _) = self.block_body("autoescape", &["endautoescape"])?;
                StmtKind::Scoped(body)
            }
            "do" => StmtKind::Do(self.tuple(true, false)?),
            "print" => StmtKind::Output(self.tuple(true, false)?),
            "break" => StmtKind::Break,
            "continue" => StmtKind::Continue,
            _ => {
                let mut error = self.unclosed(&format!("Encountered unknown tag '{tag}'."), Some(&tag));
                error.line = line;
                return Err(error);
            }
        }))
    }

    fn assign_name(&mut self) -> P<Arc<str>> {
        let name = self.expect_name()?;
        if matches!(name.as_str(), "true" | "false" | "none" | "True" | "False" | "None") {
            return Err(self.fail("can't assign to 'const'"));
        }
        Ok(name.into())
    }

    /// One name, `ns.attr`, or several with commas and parentheses.
    fn target(&mut self, with_namespace: bool) -> P<Target> {
        let mut items = Vec::new();
        let mut is_tuple = false;
        loop {
            if !items.is_empty() {
                self.expect_op(",")?;
            }
            match self.current() {
                Tok::Name(name) if name == "in" => break,
                Tok::Name(_) => {
                    let name = self.assign_name()?;
                    if with_namespace && self.skip_op(".") {
                        items.push(Target::Member(name, self.expect_name()?.into()));
                    } else {
                        items.push(Target::Name(name));
                    }
                }
                Tok::Op("(") => {
                    self.advance();
                    let inner = self.nested(|p| p.target(with_namespace))?;
                    self.expect_op(")")?;
                    items.push(inner);
                }
                Tok::Op(")") | Tok::Op("=") | Tok::BlockEnd => break,
                Tok::Str(_) | Tok::Int(_) | Tok::Float(_) => return Err(self.fail("can't assign to 'const'")),
                other => {
                    let got = quoted(&other.describe());
                    return Err(self.fail(format!("unexpected {got}")));
                }
            }
            if self.is_op(",") {
                is_tuple = true;
            } else {
                break;
            }
        }
        match items.len() {
            0 => {
                Err(self.fail(format!("Expected an expression, got {}", quoted(&self.current().describe()))))
            }
            1 if !is_tuple => Ok(items.remove(0)),
            _ => Ok(Target::Tuple(items)),
        }
    }

    fn for_loop(&mut self) -> P<StmtKind> {
        let target = self.target(false)?;
        if !self.skip_name("in") {
            return Err(self.expected("in"));
        }
        let was = std::mem::replace(&mut self.in_for_iter, true);
        let iter = self.tuple(false, false)?;
        self.in_for_iter = was;
        let filter = if self.skip_name("if") { Some(self.expression(true)?) } else { None };
        let recursive = self.skip_name("recursive");
        let (body, end) = self.block_body("for", &["endfor", "else"])?;
        let otherwise = if end == "else" { self.block_body("for", &["endfor"])?.0 } else { Vec::new() };
        Ok(StmtKind::For(Arc::new(For { target, iter, filter, recursive, body, otherwise })))
    }

    fn if_block(&mut self) -> P<StmtKind> {
        let mut branches = Vec::new();
        let mut otherwise = Vec::new();
        loop {
            let test = self.tuple(false, false)?;
            let (body, end) = self.block_body("if", &["elif", "else", "endif"])?;
            branches.push((test, body));
            match end.as_str() {
                "elif" => {}
                "else" => {
                    otherwise = self.block_body("if", &["endif"])?.0;
                    break;
                }
                _ => break,
            }
        }
        Ok(StmtKind::If { branches, otherwise })
    }

    fn set(&mut self) -> P<StmtKind> {
        let target = self.target(true)?;
        if self.skip_op("=") {
            return Ok(StmtKind::Set(target, self.tuple(true, false)?));
        }
        let filter = if self.is_op("|") { Some(self.filter_chain(true)?) } else { None };
        let (body, _) = self.block_body("set", &["endset"])?;
        Ok(StmtKind::SetBlock { target, filter, body })
    }

    fn with(&mut self) -> P<StmtKind> {
        let mut bindings = Vec::new();
        while *self.current() != Tok::BlockEnd {
            if !bindings.is_empty() {
                self.expect_op(",")?;
            }
            let target = match self.current() {
                Tok::Op("(") => self.target(false)?,
                _ => Target::Name(self.assign_name()?),
            };
            self.expect_op("=")?;
            bindings.push((target, self.expression(true)?));
        }
        let (body, _) = self.block_body("with", &["endwith"])?;
        Ok(StmtKind::With { bindings, body })
    }

    fn block(&mut self) -> P<StmtKind> {
        self.has_blocks = true;
        let name = self.expect_name()?;
        if self.block_names.contains(&name) {
            return Err(self.fail(format!("block '{name}' defined twice")));
        }
        self.block_names.push(name.clone());
        let scoped = self.skip_name("scoped");
        let required = self.skip_name("required");
        if self.is_op("-") {
            return Err(self.fail(
                "Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore instead.",
            ));
        }
        let (body, _) = self.block_body("block", &["endblock"])?;
        self.skip_name(&name);
        Ok(StmtKind::Block { name: name.into(), scoped, required, body: Arc::new(body) })
    }

    /// `with context` or `without context`, if there.
    fn context_marker(&mut self, default: bool) -> bool {
        let next_is_context = matches!(self.peek(), Tok::Name(n) if n == "context");
        if next_is_context && (self.is_name("with") || self.is_name("without")) {
            let with = self.is_name("with");
            self.advance();
            self.advance();
            return with;
        }
        default
    }

    fn include(&mut self) -> P<StmtKind> {
        let name = self.expression(true)?;
        let ignore_missing = self.is_name("ignore") && matches!(self.peek(), Tok::Name(n) if n == "missing");
        if ignore_missing {
            self.advance();
            self.advance();
        }
        let with_context = self.context_marker(true);
        Ok(StmtKind::Include { name, ignore_missing, with_context })
    }

    fn import(&mut self) -> P<StmtKind> {
        let name = self.expression(true)?;
        if !self.skip_name("as") {
            return Err(self.expected("as"));
        }
        let target = self.assign_name()?;
        let with_context = self.context_marker(false);
        Ok(StmtKind::Import { name, target, with_context })
    }

    fn import_from(&mut self) -> P<StmtKind> {
        let name = self.expression(true)?;
        if !self.skip_name("import") {
            return Err(self.expected("import"));
        }
        let mut names = Vec::new();
        let mut with_context = false;
        loop {
            let marker = matches!(self.peek(), Tok::Name(n) if n == "context");
            if marker && (self.is_name("with") || self.is_name("without")) {
                with_context = self.context_marker(false);
                break;
            }
            if !matches!(self.current(), Tok::Name(_)) {
                if names.is_empty() {
                    return Err(self.expected("name"));
                }
                break;
            }
            let what = self.assign_name()?;
            if what.starts_with('_') {
                return Err(self.fail("names starting with an underline can not be imported"));
            }
            let alias = if self.skip_name("as") { self.assign_name()? } else { what.clone() };
            names.push((what, alias));
            let marker = matches!(self.peek(), Tok::Name(n) if n == "context");
            if marker && (self.is_name("with") || self.is_name("without")) {
                with_context = self.context_marker(false);
                break;
            }
            if !self.skip_op(",") {
                break;
            }
        }
        Ok(StmtKind::FromImport { name, names, with_context })
    }

    fn signature(&mut self) -> P<Vec<(Arc<str>, Option<Expr>)>> {
        let mut params: Vec<(Arc<str>, Option<Expr>)> = Vec::new();
        self.expect_op("(")?;
        while !self.is_op(")") {
            if !params.is_empty() {
                self.expect_op(",")?;
                if self.is_op(")") {
                    break;
                }
            }
            let name = self.assign_name()?;
            let default = if self.skip_op("=") {
                Some(self.expression(true)?)
            } else if params.last().is_some_and(|p| p.1.is_some()) {
                return Err(self.fail("non-default argument follows default argument"));
            } else {
                None
            };
            params.push((name, default));
        }
        self.expect_op(")")?;
        Ok(params)
    }

    fn macro_rest(&mut self, name: Arc<str>, opener: &str, end: &'static str) -> P<Macro> {
        let params = self.signature()?;
        self.macro_body(name, params, opener, end)
    }

    fn macro_body(
        &mut self,
        name: Arc<str>,
        params: Vec<(Arc<str>, Option<Expr>)>,
        opener: &str,
        end: &'static str,
    ) -> P<Macro> {
        let start = self.index;
        let (body, _) = self.block_body(opener, &[end])?;
        let uses = |word: &str| {
            self.tokens[start..self.index].iter().any(|(tok, _)| matches!(tok, Tok::Name(n) if n == word))
        };
        let (uses_caller, uses_varargs, uses_kwargs) = (uses("caller"), uses("varargs"), uses("kwargs"));
        Ok(Macro { name, params, body, uses_caller, uses_varargs, uses_kwargs })
    }

    fn call_block(&mut self) -> P<StmtKind> {
        let params = if self.is_op("(") { self.signature()? } else { Vec::new() };
        let call = self.expression(true)?;
        if !matches!(call, Expr::Call(..)) {
            return Err(self.fail("expected call"));
        }
        let caller = self.macro_body("caller".into(), params, "call", "endcall")?;
        Ok(StmtKind::Call { call, caller: Arc::new(caller) })
    }
}

impl Expr {
    /// A string constant's text.
    #[allow(dead_code)]
    pub(crate) fn as_const_str(&self) -> Option<&Arc<str>> {
        match self {
            Expr::Const(Const::Str(text)) => Some(text),
            _ => None,
        }
    }
}
