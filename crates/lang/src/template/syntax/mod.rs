//! Jinja2's syntax: tokens, grammar, tree.

pub(crate) mod ast;
mod expressions;
mod statements;
pub(crate) mod tokens;

pub(crate) use tokens::{Syntax, SyntaxError};

use ast::{Expr, Template};
use tokens::{Tok, tokenize};

/// Nesting beyond this is refused: no template is written like that.
const MAX_DEPTH: usize = 200;

/// Operators, subscripts and filters in one template; evaluation recurses over chains of them.
const MAX_CHAIN: usize = 20_000;

/// Reads tokens and builds the tree.
pub(crate) struct Parser {
    tokens: Vec<(Tok, u32)>,
    index: usize,
    depth: usize,
    /// End tags that the enclosing blocks wait for, outermost first, with the name of the tag that opened each.
    ends: Vec<(String, Vec<&'static str>)>,
    has_blocks: bool,
    block_names: Vec<String>,
    chain_length: usize,
    in_for_iter: bool,
}

type P<T> = Result<T, SyntaxError>;

/// Parse a whole template.
pub(crate) fn parse(source: &str, syntax: &Syntax) -> P<Template> {
    let mut parser = Parser::new(source, syntax)?;
    let body = parser.subparse(&[])?;
    Ok(Template { body, has_blocks: parser.has_blocks })
}

/// Parse a bare expression.
pub(crate) fn parse_expression(source: &str, syntax: &Syntax) -> P<Expr> {
    let mut parser = Parser::new(source, syntax)?;
    let expr = parser.expression(true)?;
    match parser.current() {
        Tok::Eof => Ok(expr),
        _ => Err(parser.fail("chunk after expression")),
    }
}

impl Parser {
    fn new(source: &str, syntax: &Syntax) -> P<Self> {
        Ok(Self {
            tokens: tokenize(source, syntax)?,
            index: 0,
            depth: 0,
            ends: Vec::new(),
            has_blocks: false,
            block_names: Vec::new(),
            chain_length: 0,
            in_for_iter: false,
        })
    }

    fn current(&self) -> &Tok {
        self.tokens.get(self.index).map_or(&Tok::Eof, |t| &t.0)
    }

    fn peek(&self) -> &Tok {
        self.tokens.get(self.index + 1).map_or(&Tok::Eof, |t| &t.0)
    }

    fn line(&self) -> u32 {
        self.tokens.get(self.index).or(self.tokens.last()).map_or(1, |t| t.1)
    }

    fn advance(&mut self) -> Tok {
        let token = self.tokens.get(self.index).map_or(Tok::Eof, |t| t.0.clone());
        if self.index + 1 < self.tokens.len() {
            self.index += 1;
        }
        token
    }

    fn fail(&self, message: impl Into<String>) -> SyntaxError {
        SyntaxError::new(message, self.line())
    }

    fn is_op(&self, op: &str) -> bool {
        matches!(self.current(), Tok::Op(o) if *o == op)
    }

    fn skip_op(&mut self, op: &str) -> bool {
        let found = self.is_op(op);
        if found {
            self.advance();
        }
        found
    }

    fn is_name(&self, name: &str) -> bool {
        matches!(self.current(), Tok::Name(n) if n == name)
    }

    fn skip_name(&mut self, name: &str) -> bool {
        let found = self.is_name(name);
        if found {
            self.advance();
        }
        found
    }

    /// The current token must be this one.
    fn expect(&mut self, wanted: &Tok) -> P<()> {
        if self.current() == wanted {
            self.advance();
            return Ok(());
        }
        Err(self.expected(&wanted.describe()))
    }

    fn expected(&self, wanted: &str) -> SyntaxError {
        match self.current() {
            Tok::Eof => self.fail(format!("unexpected end of template, expected '{wanted}'.")),
            got => self.fail(format!("expected token '{wanted}', got {}", quoted(&got.describe()))),
        }
    }

    fn expect_op(&mut self, op: &'static str) -> P<()> {
        self.expect(&Tok::Op(op))
    }

    fn expect_name(&mut self) -> P<String> {
        match self.current() {
            Tok::Name(name) => {
                let name = name.clone();
                self.advance();
                Ok(name)
            }
            _ => Err(self.expected("name")),
        }
    }

    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> P<T>) -> P<T> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fail("template is nested too deeply"));
        }
        let result = stacker::maybe_grow(128 * 1024, 2 * 1024 * 1024, || parse(self));
        self.depth -= 1;
        result
    }
}

/// Python's repr of a short word.
fn quoted(word: &str) -> String {
    if word.contains('\'') { format!("\"{word}\"") } else { format!("'{word}'") }
}
