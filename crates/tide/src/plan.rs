//! What runs: names are slots, fields are positions, operators know the types they work on.

use crate::builtins::Run;
use crate::syntax::Operator;
use crate::types::Types;
use crate::value::Constant;

/// A checked program.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) types: Types,
    pub(crate) event: usize,
    pub(crate) record: usize,
    /// How many values a run holds by name; the event is the first.
    pub(crate) slots: usize,
    pub(crate) body: Vec<Step>,
    pub(crate) sites: Vec<Site>,
}

/// A place in the rule that can fail at run time through the event's fault.
#[derive(Clone, Debug, Default)]
pub(crate) struct Site {
    /// The field of the event that the failing expression reads first; empty if it reads none.
    pub(crate) pointer: String,
    /// Line in the rule file, counted from one.
    pub(crate) line: usize,
}

/// A number into the sites of a plan.
pub(crate) type SiteId = usize;

/// A statement.
#[derive(Debug)]
pub(crate) enum Step {
    Assign { slot: usize, value: Node },
    AssignPair { first: usize, second: usize, value: Node },
    If { branches: Vec<(Node, Vec<Step>)>, otherwise: Vec<Step> },
    Return { fields: Vec<Node>, site: SiteId },
    Reject { message: Node, pointer: String },
}

/// An expression.
#[derive(Debug)]
pub(crate) enum Node {
    Constant(Constant),
    /// A named value and the way to one of its fields; absent as soon as a step of the way is.
    Path {
        slot: usize,
        fields: Vec<usize>,
    },
    Field {
        base: Box<Node>,
        field: usize,
    },
    Coalesce(Box<Node>, Box<Node>),
    IsPresent {
        value: Box<Node>,
        wanted: bool,
    },
    Not(Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Compare {
        operator: Operator,
        left: Box<Node>,
        right: Box<Node>,
    },
    In {
        item: Box<Node>,
        list: Box<Node>,
        wanted: bool,
    },
    InConstant {
        item: Box<Node>,
        list: Vec<Constant>,
        wanted: bool,
    },
    Arithmetic {
        operator: Operator,
        left: Box<Node>,
        right: Box<Node>,
        site: SiteId,
    },
    Negate {
        value: Box<Node>,
        site: SiteId,
    },
    Concat {
        parts: Vec<Node>,
        site: SiteId,
    },
    Match {
        value: Box<Node>,
        arms: Vec<(Vec<Constant>, Node)>,
        otherwise: Option<Box<Node>>,
    },
    Call {
        run: Run,
        arguments: Vec<Node>,
        site: SiteId,
    },
    List(Vec<Node>),
    Record {
        record: usize,
        fields: Vec<Node>,
        site: SiteId,
    },
    /// Two values at once; stands only where a pair is taken apart.
    Pair(Box<Node>, Box<Node>),
    /// Takes a string apart at a separator; stands only where a pair is taken apart.
    SplitOnce {
        text: Box<Node>,
        separator: Box<Node>,
    },
}
