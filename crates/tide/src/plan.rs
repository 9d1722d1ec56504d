//! What runs: names are slots, fields are positions, operators know the types they work on.

use crate::builtins::Run;
use crate::syntax::Operator;
use crate::types::{Type, Types};
use crate::value::Constant;

/// A checked program.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) types: Types,
    pub(crate) event: Type,
    pub(crate) record: usize,
    /// The rule; the event is its one argument.
    pub(crate) rule: Function,
    pub(crate) functions: Vec<Function>,
    pub(crate) sites: Vec<Site>,
}

/// The rule or a function: its arguments fill the first slots.
#[derive(Debug, Default)]
pub(crate) struct Function {
    /// How many values it holds by name.
    pub(crate) slots: usize,
    pub(crate) body: Vec<Step>,
}

/// The way to a place in the event, as a JSON pointer whose positions in lists are known at run time.
pub(crate) type Place = Vec<PlaceStep>;

/// A step on the way to a place in the event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PlaceStep {
    Field(String),
    /// The position of an item or the key of an entry, held in a slot.
    Slot(usize),
}

/// A place in the rule that can fail at run time through the event's fault.
#[derive(Clone, Debug, Default)]
pub(crate) struct Site {
    /// The field of the event that the failing expression reads first; empty if it reads none.
    pub(crate) place: Place,
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
    For(Iteration),
    Return(Node),
    Reject { message: Node, place: Place },
}

/// A loop over a list or a map.
#[derive(Debug)]
pub(crate) struct Iteration {
    pub(crate) values: Node,
    /// Where the position of the item stands, or the key of the entry.
    pub(crate) key: usize,
    pub(crate) item: usize,
    pub(crate) body: Vec<Step>,
}

/// A case of a `match`.
#[derive(Debug)]
pub(crate) struct Arm {
    /// What the value may be; everything if this is empty.
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) guard: Option<Node>,
    pub(crate) value: Node,
}

/// What a value may be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Pattern {
    Absent,
    Constant(Constant),
    /// Both ends belong to the range.
    Range(i64, i64),
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
        arms: Vec<Arm>,
    },
    Call {
        run: Run,
        arguments: Vec<Node>,
        site: SiteId,
    },
    /// Calls a function of the file.
    Invoke {
        function: usize,
        arguments: Vec<Node>,
        site: SiteId,
    },
    /// An item of a list by its position, or an entry of a map by its key.
    Index {
        base: Box<Node>,
        index: Box<Node>,
    },
    List(Vec<Node>),
    Record {
        record: usize,
        fields: Vec<Node>,
        site: SiteId,
    },
    /// Two values at once.
    Pair(Box<Node>, Box<Node>),
    /// Takes a string apart at a separator: a pair, or absent if it has no separator.
    SplitOnce {
        text: Box<Node>,
        separator: Box<Node>,
    },
}
