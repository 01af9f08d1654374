//! The grammar of expressions, rule by rule as Jinja2 has it (`jinja2.parser`).

use std::sync::Arc;

use super::ast::{BinOp, CallArgs, CmpOp, Const, Expr, UnaryOp};
use super::tokens::Tok;
use super::{P, Parser, quoted};

/// An operator between two operands of the next tighter level, left to right.
macro_rules! left_associative {
    ($name:ident, $next:ident, { $($op:literal => $kind:expr),* }) => {
        fn $name(&mut self) -> P<Expr> {
            let mut left = self.$next()?;
            loop {
                let op = match self.current() {
                    $(Tok::Op($op) => $kind,)*
                    _ => return Ok(left),
                };
                self.advance();
                let right = self.$next()?;
                left = Expr::Bin(op, Box::new(left), Box::new(right));
                self.chain()?;
            }
        }
    };
}

impl Parser {
    /// Left-associative chains build trees as deep as they are long; evaluation recurses over them.
    fn chain(&mut self) -> P<()> {
        self.chain_length += 1;
        if self.chain_length > super::MAX_CHAIN {
            return Err(self.fail("expression is too long"));
        }
        Ok(())
    }

    /// An expression; `with_cond` allows the inline `if`.
    pub(super) fn expression(&mut self, with_cond: bool) -> P<Expr> {
        self.nested(|p| if with_cond { p.conditional() } else { p.or() })
    }

    fn conditional(&mut self) -> P<Expr> {
        let mut expr = self.or()?;
        while self.skip_name("if") {
            let test = Box::new(self.or()?);
            let otherwise =
                if self.skip_name("else") { Some(Box::new(self.nested(Self::conditional)?)) } else { None };
            expr = Expr::Cond { test, then: Box::new(expr), otherwise };
            self.chain()?;
        }
        Ok(expr)
    }

    fn or(&mut self) -> P<Expr> {
        let mut left = self.and()?;
        while self.skip_name("or") {
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
            self.chain()?;
        }
        Ok(left)
    }

    fn and(&mut self) -> P<Expr> {
        let mut left = self.not()?;
        while self.skip_name("and") {
            left = Expr::And(Box::new(left), Box::new(self.not()?));
            self.chain()?;
        }
        Ok(left)
    }

    fn not(&mut self) -> P<Expr> {
        if self.skip_name("not") {
            let operand = self.nested(Self::not)?;
            return Ok(Expr::Unary(UnaryOp::Not, Box::new(operand)));
        }
        self.compare()
    }

    fn compare(&mut self) -> P<Expr> {
        let first = self.math1()?;
        let mut rest = Vec::new();
        loop {
            let op = match self.current() {
                Tok::Op("==") => CmpOp::Eq,
                Tok::Op("!=") => CmpOp::Ne,
                Tok::Op("<") => CmpOp::Lt,
                Tok::Op("<=") => CmpOp::Le,
                Tok::Op(">") => CmpOp::Gt,
                Tok::Op(">=") => CmpOp::Ge,
                Tok::Name(name) if name == "in" => CmpOp::In,
                Tok::Name(name) if name == "not" && matches!(self.peek(), Tok::Name(n) if n == "in") => {
                    self.advance();
                    CmpOp::NotIn
                }
                _ => break,
            };
            self.advance();
            rest.push((op, self.math1()?));
        }
        Ok(if rest.is_empty() { first } else { Expr::Compare(Box::new(first), rest) })
    }

    left_associative!(math1, concat, { "+" => BinOp::Add, "-" => BinOp::Sub });

    fn concat(&mut self) -> P<Expr> {
        let first = self.math2()?;
        if !self.is_op("~") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.skip_op("~") {
            parts.push(self.math2()?);
        }
        Ok(Expr::Concat(parts))
    }

    left_associative!(math2, pow, {
        "*" => BinOp::Mul, "/" => BinOp::Div, "//" => BinOp::FloorDiv, "%" => BinOp::Mod
    });

    left_associative!(pow, unary, { "**" => BinOp::Pow });

    fn unary(&mut self) -> P<Expr> {
        self.unary_with(true)
    }

    fn unary_with(&mut self, filters: bool) -> P<Expr> {
        let mut expr = if self.skip_op("-") {
            Expr::Unary(UnaryOp::Neg, Box::new(self.nested(|p| p.unary_with(false))?))
        } else if self.skip_op("+") {
            Expr::Unary(UnaryOp::Pos, Box::new(self.nested(|p| p.unary_with(false))?))
        } else {
            self.primary()?
        };
        expr = self.postfix(expr)?;
        if filters {
            expr = self.filters_and_tests(expr)?;
        }
        Ok(expr)
    }

    fn primary(&mut self) -> P<Expr> {
        match self.current().clone() {
            Tok::Name(name) => {
                self.advance();
                Ok(match name.as_str() {
                    "true" | "True" => Expr::Const(Const::Bool(true)),
                    "false" | "False" => Expr::Const(Const::Bool(false)),
                    "none" | "None" => Expr::Const(Const::None),
                    _ => Expr::Name(name.into()),
                })
            }
            Tok::Str(mut text) => {
                self.advance();
                while let Tok::Str(more) = self.current() {
                    text.push_str(more);
                    self.advance();
                }
                Ok(Expr::Const(Const::Str(text.into())))
            }
            Tok::Int(i) => {
                self.advance();
                Ok(Expr::Const(Const::Int(i)))
            }
            Tok::Float(f) => {
                self.advance();
                Ok(Expr::Const(Const::Float(f)))
            }
            Tok::Op("(") => {
                self.advance();
                let expr = self.tuple(true, true)?;
                self.expect_op(")")?;
                Ok(expr)
            }
            Tok::Op("[") => self.list(),
            Tok::Op("{") => self.dict(),
            other => Err(self.fail(format!("unexpected {}", quoted(&other.describe())))),
        }
    }

    fn list(&mut self) -> P<Expr> {
        self.expect_op("[")?;
        let mut items = Vec::new();
        while !self.is_op("]") {
            if !items.is_empty() {
                self.expect_op(",")?;
            }
            if self.is_op("]") {
                break;
            }
            items.push(self.expression(true)?);
        }
        self.expect_op("]")?;
        Ok(Expr::List(items))
    }

    fn dict(&mut self) -> P<Expr> {
        self.expect_op("{")?;
        let mut items = Vec::new();
        while !self.is_op("}") {
            if !items.is_empty() {
                self.expect_op(",")?;
            }
            if self.is_op("}") {
                break;
            }
            let key = self.expression(true)?;
            self.expect_op(":")?;
            items.push((key, self.expression(true)?));
        }
        self.expect_op("}")?;
        Ok(Expr::Dict(items))
    }

    /// One expression, or several with commas between them. `parenthesized` allows the empty tuple.
    pub(super) fn tuple(&mut self, with_cond: bool, parenthesized: bool) -> P<Expr> {
        let mut items = Vec::new();
        let mut is_tuple = false;
        loop {
            if !items.is_empty() {
                self.expect_op(",")?;
            }
            if self.tuple_ends() {
                break;
            }
            items.push(self.expression(with_cond)?);
            if self.is_op(",") {
                is_tuple = true;
            } else {
                break;
            }
        }
        if !is_tuple {
            if items.len() == 1
                && let Some(only) = items.pop()
            {
                return Ok(only);
            }
            if !parenthesized {
                let got = quoted(&self.current().describe());
                return Err(self.fail(format!("Expected an expression, got {got}")));
            }
        }
        Ok(Expr::Tuple(items))
    }

    fn tuple_ends(&self) -> bool {
        matches!(self.current(), Tok::VarEnd | Tok::BlockEnd | Tok::Op(")") | Tok::Eof)
            || (self.in_for_iter && self.is_name("recursive"))
    }

    pub(super) fn postfix(&mut self, mut expr: Expr) -> P<Expr> {
        loop {
            expr = match self.current() {
                Tok::Op(".") | Tok::Op("[") => self.subscript(expr)?,
                Tok::Op("(") => Expr::Call(Box::new(expr), Box::new(self.call_args()?)),
                _ => return Ok(expr),
            };
            self.chain()?;
        }
    }

    fn filters_and_tests(&mut self, mut expr: Expr) -> P<Expr> {
        loop {
            expr = match self.current() {
                Tok::Op("|") => self.filter(Some(expr))?,
                Tok::Name(name) if name == "is" => self.test(expr)?,
                Tok::Op("(") => Expr::Call(Box::new(expr), Box::new(self.call_args()?)),
                _ => return Ok(expr),
            };
            self.chain()?;
        }
    }

    fn subscript(&mut self, expr: Expr) -> P<Expr> {
        if self.skip_op(".") {
            return match self.advance() {
                Tok::Name(name) => Ok(Expr::Attr(Box::new(expr), name.into())),
                Tok::Int(i) => Ok(Expr::Item(Box::new(expr), Box::new(Expr::Const(Const::Int(i))))),
                _ => Err(self.fail("expected name or number")),
            };
        }
        self.expect_op("[")?;
        let mut items = Vec::new();
        while !self.is_op("]") {
            if !items.is_empty() {
                self.expect_op(",")?;
            }
            items.push(self.subscribed()?);
        }
        self.expect_op("]")?;
        let index = if items.len() == 1 { items.remove(0) } else { Expr::Tuple(items) };
        Ok(Expr::Item(Box::new(expr), Box::new(index)))
    }

    /// What stands in square brackets: an expression or a slice.
    fn subscribed(&mut self) -> P<Expr> {
        let mut parts: Vec<Option<Box<Expr>>> = Vec::new();
        if self.skip_op(":") {
            parts.push(None);
        } else {
            let expr = self.expression(true)?;
            if !self.skip_op(":") {
                return Ok(expr);
            }
            parts.push(Some(Box::new(expr)));
        }
        if self.is_op(":") {
            parts.push(None);
        } else if !self.is_op("]") && !self.is_op(",") {
            parts.push(Some(Box::new(self.expression(true)?)));
        } else {
            parts.push(None);
        }
        if self.skip_op(":") && !self.is_op("]") && !self.is_op(",") {
            parts.push(Some(Box::new(self.expression(true)?)));
        }
        let mut parts = parts.into_iter();
        let mut next = || parts.next().flatten();
        Ok(Expr::Slice(next(), next(), next()))
    }

    pub(super) fn call_args(&mut self) -> P<CallArgs> {
        self.expect_op("(")?;
        let mut call = CallArgs::default();
        let mut require_comma = false;
        while !self.is_op(")") {
            if require_comma {
                self.expect_op(",")?;
                if self.is_op(")") {
                    break;
                }
            }
            let bad = "invalid syntax for function call expression";
            if self.skip_op("*") {
                if call.star.is_some() || call.star_star.is_some() {
                    return Err(self.fail(bad));
                }
                call.star = Some(Box::new(self.expression(true)?));
            } else if self.skip_op("**") {
                if call.star_star.is_some() {
                    return Err(self.fail(bad));
                }
                call.star_star = Some(Box::new(self.expression(true)?));
            } else if let (Tok::Name(name), Tok::Op("=")) = (self.current().clone(), self.peek().clone()) {
                if call.star_star.is_some() {
                    return Err(self.fail(bad));
                }
                self.advance();
                self.advance();
                call.kwargs.push((name.into(), self.expression(true)?));
            } else {
                if call.star.is_some() || call.star_star.is_some() || !call.kwargs.is_empty() {
                    return Err(self.fail(bad));
                }
                call.args.push(self.expression(true)?);
            }
            require_comma = true;
        }
        self.expect_op(")")?;
        Ok(call)
    }

    /// `a.b.c`: the name of a filter or test.
    fn dotted_name(&mut self) -> P<Arc<str>> {
        let mut name = self.expect_name()?;
        while self.skip_op(".") {
            name.push('.');
            name.push_str(&self.expect_name()?);
        }
        Ok(name.into())
    }

    /// `| name(args)`, with the bar still to come.
    fn filter(&mut self, operand: Option<Expr>) -> P<Expr> {
        self.expect_op("|")?;
        self.filter_call(operand)
    }

    fn filter_call(&mut self, operand: Option<Expr>) -> P<Expr> {
        let name = self.dotted_name()?;
        let args = if self.is_op("(") { self.call_args()? } else { CallArgs::default() };
        Ok(Expr::Filter(operand.map(Box::new), name, Box::new(args)))
    }

    /// The filters of `{% filter a | b %}` (no bar before the first) or `{% set x | a | b %}` (bar there).
    pub(super) fn filter_chain(&mut self, first_has_bar: bool) -> P<Expr> {
        let mut chain = if first_has_bar { self.filter(None)? } else { self.filter_call(None)? };
        loop {
            chain = match self.current() {
                Tok::Op("|") => self.filter(Some(chain))?,
                Tok::Name(name) if name == "is" => self.test(chain)?,
                _ => return Ok(chain),
            };
            self.chain()?;
        }
    }

    fn test(&mut self, operand: Expr) -> P<Expr> {
        self.advance();
        let negated = self.skip_name("not");
        let name = self.dotted_name()?;
        let args = match self.current() {
            Tok::Op("(") => self.call_args()?,
            Tok::Name(next) if matches!(next.as_str(), "else" | "or" | "and" | "if") => CallArgs::default(),
            Tok::Name(next) if next == "is" => {
                return Err(self.fail("You cannot chain multiple tests with is"));
            }
            Tok::Name(_) | Tok::Str(_) | Tok::Int(_) | Tok::Float(_) | Tok::Op("[") | Tok::Op("{") => {
                let operand = self.primary()?;
                CallArgs { args: vec![self.postfix(operand)?], ..CallArgs::default() }
            }
            _ => CallArgs::default(),
        };
        let test = Expr::Test(Box::new(operand), name, Box::new(args));
        Ok(if negated { Expr::Unary(UnaryOp::Not, Box::new(test)) } else { test })
    }
}
