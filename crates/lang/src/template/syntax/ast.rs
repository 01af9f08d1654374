//! The tree of a template, as Jinja2's grammar has it.
//!
//! It owns its text and can be shared between threads: a compiled template is cached by the
//! [`Templar`](crate::template::Templar) and used for every host.

use std::sync::Arc;

/// A constant as written in the source.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Const {
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Str(Arc<str>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinOp {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Mod,
    Pow,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CmpOp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    NotIn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnaryOp {
    Not,
    Neg,
    Pos,
}

/// What stands between the parentheses of a call.
#[derive(Debug, Default)]
pub(crate) struct CallArgs {
    pub args: Vec<Expr>,
    pub kwargs: Vec<(Arc<str>, Expr)>,
    pub star: Option<Box<Expr>>,
    pub star_star: Option<Box<Expr>>,
}

#[derive(Debug)]
pub(crate) enum Expr {
    Const(Const),
    Name(Arc<str>),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
    Attr(Box<Expr>, Arc<str>),
    Item(Box<Expr>, Box<Expr>),
    Slice(Option<Box<Expr>>, Option<Box<Expr>>, Option<Box<Expr>>),
    Call(Box<Expr>, Box<CallArgs>),
    /// The operand is absent only in `{% filter %}` and `{% set x | f %}`, where the block's text is meant.
    Filter(Option<Box<Expr>>, Arc<str>, Box<CallArgs>),
    Test(Box<Expr>, Arc<str>, Box<CallArgs>),
    Unary(UnaryOp, Box<Expr>),
    Bin(BinOp, Box<Expr>, Box<Expr>),
    Compare(Box<Expr>, Vec<(CmpOp, Expr)>),
    Concat(Vec<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Cond {
        test: Box<Expr>,
        then: Box<Expr>,
        otherwise: Option<Box<Expr>>,
    },
}

/// Where a value is put.
#[derive(Debug)]
pub(crate) enum Target {
    Name(Arc<str>),
    Tuple(Vec<Target>),
    /// `{% set ns.attr = ... %}`
    Member(Arc<str>, Arc<str>),
}

#[derive(Debug)]
pub(crate) struct Macro {
    pub name: Arc<str>,
    pub params: Vec<(Arc<str>, Option<Expr>)>,
    pub body: Vec<Stmt>,
    /// Does the body read `caller`, `varargs`, `kwargs`? Decides what extra arguments mean.
    pub uses_caller: bool,
    pub uses_varargs: bool,
    pub uses_kwargs: bool,
}

#[derive(Debug)]
pub(crate) struct Stmt {
    /// Line inside the template, counted from 1.
    pub line: u32,
    pub kind: StmtKind,
}

#[derive(Debug)]
pub(crate) enum StmtKind {
    Text(Arc<str>),
    Output(Expr),
    For(Arc<For>),
    If { branches: Vec<(Expr, Vec<Stmt>)>, otherwise: Vec<Stmt> },
    With { bindings: Vec<(Target, Expr)>, body: Vec<Stmt> },
    Set(Target, Expr),
    SetBlock { target: Target, filter: Option<Expr>, body: Vec<Stmt> },
    FilterBlock { filter: Expr, body: Vec<Stmt> },
    Scoped(Vec<Stmt>),
    Block { name: Arc<str>, scoped: bool, required: bool, body: Arc<Vec<Stmt>> },
    Extends(Expr),
    Include { name: Expr, ignore_missing: bool, with_context: bool },
    Import { name: Expr, target: Arc<str>, with_context: bool },
    FromImport { name: Expr, names: Vec<(Arc<str>, Arc<str>)>, with_context: bool },
    Macro(Arc<Macro>),
    Call { call: Expr, caller: Arc<Macro> },
    Do(Expr),
    Break,
    Continue,
}

#[derive(Debug)]
pub(crate) struct For {
    pub target: Target,
    pub iter: Expr,
    pub filter: Option<Expr>,
    pub recursive: bool,
    pub body: Vec<Stmt>,
    pub otherwise: Vec<Stmt>,
}

/// A parsed template.
#[derive(Debug, Default)]
pub(crate) struct Template {
    pub body: Vec<Stmt>,
    /// Does it have `{% block %}` or `{% extends %}`?
    pub has_blocks: bool,
}
