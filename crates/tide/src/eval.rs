//! Runs a plan on one event.
//!
//! The checker has settled names, types and absence, so what can still stop a run is the event's
//! own fault: a calculation that overflows, a limit, a `reject`. Each ends as a located reject.

mod arithmetic;

use std::rc::Rc;

use crate::builtins::{Failure, MAX_ARGUMENTS};
use crate::encode::{TooLong, write_value};
use crate::limits::Limits;
use crate::plan::{Arm, Iteration, Node, Pattern, PlaceStep, Plan, SiteId, Step};
use crate::refinement::broken;
use crate::reject::{Outcome, Reject, RejectCode, escaped};
use crate::syntax::Operator;
use crate::value::{Constant, Entry, RecordValue, Text, Value};

/// A run that ended before its time; boxed, as it is rare and large.
type Run<T> = Result<T, Box<Reject>>;

/// Decodes an event, runs the rule on it and returns the record.
pub(crate) fn run<'a>(plan: &'a Plan, event: &'a [u8], limits: &Limits) -> Result<Value<'a>, Outcome> {
    let event = crate::decode::decode(event, &plan.types, &plan.event, limits)?;
    let mut machine = Machine::new(plan, limits);
    machine.slots[0] = event;
    match machine.steps(&plan.rule.body) {
        Ok(Some(record)) => Ok(record),
        // The checker refuses rules with a path that returns nothing.
        Ok(None) => Err(Outcome::Rejected(vec![Reject::new(
            RejectCode::RuleRejected,
            "",
            "the rule returned nothing",
        )])),
        Err(reject) => Err(Outcome::Rejected(vec![*reject])),
    }
}

/// Writes the record of a plan. The event as a whole is turned away if its record is too long.
pub(crate) fn write(plan: &Plan, record: &Value<'_>, limits: &Limits) -> Result<String, Outcome> {
    let limit = limits.max_output_bytes;
    write_value(&plan.types, record, limit).map_err(|TooLong| {
        let message = format!("the record that the rule returns is longer than {limit} bytes");
        Outcome::Rejected(vec![Reject::new(RejectCode::Length, "", message)])
    })
}

/// The state of one run.
pub(crate) struct Machine<'a, 'l> {
    plan: &'a Plan,
    limits: &'l Limits,
    fuel: u64,
    /// Where the slots of the function that runs begin.
    base: usize,
    pub(crate) slots: Vec<Value<'a>>,
}

impl<'a, 'l> Machine<'a, 'l> {
    pub(crate) fn new(plan: &'a Plan, limits: &'l Limits) -> Self {
        Machine {
            plan,
            limits,
            fuel: limits.fuel,
            base: 0,
            slots: vec![Value::Absent; plan.rule.slots.max(2)],
        }
    }

    fn stop<T>(&self, code: RejectCode, site: SiteId, what: &str) -> Run<T> {
        let site = &self.plan.sites[site];
        let message = format!("{what}, in the rule at line {}", site.line);
        Err(Box::new(Reject::new(code, self.pointer(&site.place), message)))
    }

    /// Turns the event away for a result that its type cannot hold.
    fn overflow<T>(&self, operand: &Value<'_>, site: SiteId) -> Run<T> {
        let what = match operand {
            Value::Decimal(_) => "the result does not fit into the digits of a Decimal",
            _ => "the result is too large",
        };
        self.stop(RejectCode::Overflow, site, what)
    }

    /// The pointer to a place, with the positions of the loops that run.
    fn pointer(&self, place: &[PlaceStep]) -> String {
        let mut pointer = String::new();
        for step in place {
            pointer.push('/');
            match step {
                PlaceStep::Field(name) => pointer.push_str(name),
                PlaceStep::Slot(slot) => match &self.slots[self.base + *slot] {
                    Value::Int(position) => pointer.push_str(&position.to_string()),
                    Value::Text(key) => pointer.push_str(&escaped(key.as_str())),
                    _ => {}
                },
            }
        }
        pointer
    }

    fn burn(&mut self, steps: u64) -> Run<()> {
        match self.fuel.checked_sub(steps) {
            Some(left) => {
                self.fuel = left;
                Ok(())
            }
            None => {
                let message = format!("the rule takes more than {} steps", self.limits.fuel);
                Err(Box::new(Reject::new(RejectCode::FuelExhausted, "", message)))
            }
        }
    }

    /// Pays for comparing a value with others of these weights; strings may be equal almost to their ends.
    fn burn_search(&mut self, value: &Value<'_>, others: impl ExactSizeIterator<Item = u64>) -> Run<()> {
        self.burn(others.len() as u64 / 8)?;
        match value.weight() {
            0 => Ok(()),
            weight => self.burn(others.map(|other| other.min(weight)).sum()),
        }
    }

    // --- statements ---

    /// Runs statements up to a `return`, whose value it yields.
    fn steps(&mut self, steps: &'a [Step]) -> Run<Option<Value<'a>>> {
        for step in steps {
            self.burn(1)?;
            match step {
                Step::Assign { slot, value } => {
                    let value = self.node(value)?;
                    self.set(*slot, value);
                }
                Step::AssignPair { first, second, value } => {
                    let (left, right) = halves(&self.node(value)?);
                    self.set(*first, left);
                    self.set(*second, right);
                }
                Step::If { branches, otherwise } => {
                    let chosen = self.branch(branches, otherwise)?;
                    if let Some(value) = self.steps(chosen)? {
                        return Ok(Some(value));
                    }
                }
                Step::For(iteration) => {
                    if let Some(value) = self.iterate(iteration)? {
                        return Ok(Some(value));
                    }
                }
                Step::Return(value) => return self.node(value).map(Some),
                Step::Reject { message, place } => {
                    let message = self.text(message)?;
                    let pointer = self.pointer(place);
                    return Err(Box::new(Reject::new(RejectCode::RuleRejected, pointer, message.as_str())));
                }
            }
        }
        Ok(None)
    }

    fn set(&mut self, slot: usize, value: Value<'a>) {
        self.slots[self.base + slot] = value;
    }

    fn iterate(&mut self, iteration: &'a Iteration) -> Run<Option<Value<'a>>> {
        match self.node(&iteration.values)? {
            Value::List(items) => {
                for (position, item) in (0..).zip(items.iter()) {
                    if let Some(value) = self.turn(iteration, Value::Int(position), item.clone())? {
                        return Ok(Some(value));
                    }
                }
            }
            Value::Map(entries) => {
                for (key, item) in entries.iter() {
                    let key = Value::Text(key.clone());
                    if let Some(value) = self.turn(iteration, key, item.clone())? {
                        return Ok(Some(value));
                    }
                }
            }
            _ => {}
        }
        Ok(None)
    }

    /// Runs the body of a loop once.
    fn turn(&mut self, iteration: &'a Iteration, key: Value<'a>, item: Value<'a>) -> Run<Option<Value<'a>>> {
        self.burn(1)?;
        self.set(iteration.key, key);
        self.set(iteration.item, item);
        self.steps(&iteration.body)
    }

    fn branch(&mut self, branches: &'a [(Node, Vec<Step>)], otherwise: &'a [Step]) -> Run<&'a [Step]> {
        for (condition, steps) in branches {
            if self.truth(condition)? {
                return Ok(steps);
            }
        }
        Ok(otherwise)
    }

    /// Evaluates the fields of a record and checks what their declarations ask for.
    fn fields(&mut self, record: usize, nodes: &'a [Node], site: SiteId) -> Run<Vec<Value<'a>>> {
        let declared = &self.plan.types.records[record].fields;
        let mut values = Vec::with_capacity(nodes.len());
        for (node, field) in nodes.iter().zip(declared) {
            let value = self.node(node)?;
            for refinement in &field.refinements {
                self.burn(refinement.cost(&value))?;
            }
            if !field.refinements.is_empty()
                && let Some((code, expected)) = broken(&field.refinements, &value)
            {
                return self.stop(
                    code,
                    site,
                    &format!("the record's field `{}` must be {expected}", field.name),
                );
            }
            values.push(value);
        }
        Ok(values)
    }

    // --- expressions ---

    fn truth(&mut self, node: &'a Node) -> Run<bool> {
        Ok(matches!(self.node(node)?, Value::Bool(true)))
    }

    fn text(&mut self, node: &'a Node) -> Run<Text<'a>> {
        match self.node(node)? {
            Value::Text(text) => Ok(text),
            _ => Ok(Text::Borrowed("")),
        }
    }

    pub(crate) fn node(&mut self, node: &'a Node) -> Run<Value<'a>> {
        self.burn(1)?;
        Ok(match node {
            Node::Constant(constant) => {
                // A list is built anew wherever it is named.
                if let Constant::List(items) = constant {
                    self.burn(items.len() as u64 / 8)?;
                }
                constant.value()
            }
            Node::Path { slot, fields } => self.path(*slot, fields),
            Node::Field { base, field } => match self.node(base)? {
                Value::Record(record) => record.fields[*field].clone(),
                _ => Value::Absent,
            },
            Node::Coalesce(value, otherwise) => match self.node(value)? {
                Value::Absent => self.node(otherwise)?,
                present => present,
            },
            Node::IsPresent { value, wanted } => {
                Value::Bool(matches!(self.node(value)?, Value::Absent) != *wanted)
            }
            Node::Not(value) => Value::Bool(!self.truth(value)?),
            Node::And(left, right) => Value::Bool(self.truth(left)? && self.truth(right)?),
            Node::Or(left, right) => Value::Bool(self.truth(left)? || self.truth(right)?),
            Node::Compare { operator, left, right } => self.compare(*operator, left, right)?,
            Node::In { item, list, wanted } => Value::Bool(self.contains(item, list)? == *wanted),
            Node::InConstant { item, list, wanted } => {
                let item = self.node(item)?;
                self.burn_search(&item, list.iter().map(Constant::weight))?;
                Value::Bool(list.iter().any(|constant| constant.equals(&item)) == *wanted)
            }
            Node::Arithmetic { operator, left, right, site } => {
                let (left, right) = (self.node(left)?, self.node(right)?);
                match arithmetic::calculate(*operator, &left, &right) {
                    Some(value) => value,
                    None => return self.overflow(&left, *site),
                }
            }
            Node::Negate { value, site } => match arithmetic::negate(&self.node(value)?) {
                Some(value) => value,
                None => return self.stop(RejectCode::Overflow, *site, "the result is too large"),
            },
            Node::Concat { parts, site } => self.concat(parts, *site)?,
            Node::Match { value, arms } => self.choose(value, arms)?,
            Node::Call { run, arguments, site } => self.call(*run, arguments, *site)?,
            Node::Invoke { function, arguments, site } => self.invoke(*function, arguments, *site)?,
            Node::Index { base, index } => self.index(base, index)?,
            Node::List(items) => {
                let items: Run<Vec<Value<'a>>> = items.iter().map(|item| self.node(item)).collect();
                Value::List(Rc::new(items?))
            }
            Node::Record { record, fields, site } => {
                let fields = self.fields(*record, fields, *site)?;
                Value::Record(Rc::new(RecordValue { record: *record, fields, rest: Vec::new() }))
            }
            Node::Pair(left, right) => pair(self.node(left)?, self.node(right)?),
            Node::SplitOnce { text, separator } => self.split_once(text, separator)?,
        })
    }

    fn path(&self, slot: usize, fields: &[usize]) -> Value<'a> {
        let mut value = &self.slots[self.base + slot];
        for field in fields {
            match value {
                Value::Record(record) => value = &record.fields[*field],
                _ => return Value::Absent,
            }
        }
        value.clone()
    }

    /// Takes a text apart at its first separator; absent if it has none.
    fn split_once(&mut self, text: &'a Node, separator: &'a Node) -> Run<Value<'a>> {
        let (text, separator) = (self.text(text)?, self.text(separator)?);
        self.burn(text.as_str().len() as u64 / 64)?;
        Ok(text.as_str().find(separator.as_str()).map_or(Value::Absent, |at| {
            let behind = at + separator.as_str().len();
            let rest = text.slice(behind..text.as_str().len());
            pair(Value::Text(text.slice(0..at)), Value::Text(rest))
        }))
    }

    fn compare(&mut self, operator: Operator, left: &'a Node, right: &'a Node) -> Run<Value<'a>> {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let (left, right) = (self.node(left)?, self.node(right)?);
        self.burn(left.weight().min(right.weight()))?;
        let order = left.compare(&right);
        Ok(Value::Bool(match operator {
            Operator::Equal => order == Some(Equal),
            Operator::NotEqual => order != Some(Equal),
            Operator::Less => order == Some(Less),
            Operator::LessOrEqual => matches!(order, Some(Less | Equal)),
            Operator::Greater => order == Some(Greater),
            _ => matches!(order, Some(Greater | Equal)),
        }))
    }

    fn contains(&mut self, item: &'a Node, list: &'a Node) -> Run<bool> {
        let item = self.node(item)?;
        match self.node(list)? {
            Value::List(items) => {
                self.burn_search(&item, items.iter().map(Value::weight))?;
                Ok(items.iter().any(|other| other.equals(&item)))
            }
            Value::Map(entries) => Ok(self.entry(&entries, &item)?.is_some()),
            _ => Ok(false),
        }
    }

    fn index(&mut self, base: &'a Node, index: &'a Node) -> Run<Value<'a>> {
        let base = self.node(base)?;
        let index = self.node(index)?;
        Ok(match (base, index) {
            (Value::List(items), Value::Int(position)) => {
                let item = usize::try_from(position).ok().and_then(|position| items.get(position));
                item.cloned().unwrap_or(Value::Absent)
            }
            (Value::Map(entries), key) => self.entry(&entries, &key)?.cloned().unwrap_or(Value::Absent),
            _ => Value::Absent,
        })
    }

    /// The value of a key; entries are compared one by one, which costs fuel.
    fn entry<'m>(&mut self, entries: &'m [Entry<'a>], key: &Value<'a>) -> Run<Option<&'m Value<'a>>> {
        self.burn_search(key, entries.iter().map(|(key, _)| key.weight()))?;
        let Value::Text(wanted) = key else { return Ok(None) };
        Ok(entries.iter().find(|(key, _)| key.as_str() == wanted.as_str()).map(|(_, value)| value))
    }

    fn choose(&mut self, value: &'a Node, arms: &'a [Arm]) -> Run<Value<'a>> {
        let value = self.node(value)?;
        self.burn_search(&value, arms.iter().map(Arm::weight))?;
        for arm in arms {
            let suits = arm.patterns.is_empty() || arm.patterns.iter().any(|pattern| pattern.takes(&value));
            if suits && self.holds(arm.guard.as_ref())? {
                return self.node(&arm.value);
            }
        }
        Ok(Value::Absent)
    }

    fn holds(&mut self, guard: Option<&'a Node>) -> Run<bool> {
        guard.map_or(Ok(true), |guard| self.truth(guard))
    }

    /// Runs a function of the file. The checker refuses circles, so that calls are bounded.
    fn invoke(&mut self, function: usize, arguments: &'a [Node], site: SiteId) -> Run<Value<'a>> {
        let plan = self.plan;
        let function = &plan.functions[function];
        self.burn(function.slots as u64 / 8)?;
        let base = self.slots.len();
        for argument in arguments {
            let value = self.node(argument)?;
            self.slots.push(value);
        }
        self.slots.resize(base + function.slots, Value::Absent);
        let outer = std::mem::replace(&mut self.base, base);
        let result = self.steps(&function.body);
        self.base = outer;
        self.slots.truncate(base);
        match result {
            Ok(value) => Ok(value.unwrap_or(Value::Absent)),
            Err(reject) => Err(self.at_call(reject, site)),
        }
    }

    /// A function knows no event: what goes wrong in it is placed where its argument came from.
    fn at_call(&self, mut reject: Box<Reject>, site: SiteId) -> Box<Reject> {
        if reject.pointer.is_empty() && reject.code != RejectCode::FuelExhausted {
            reject.pointer = self.pointer(&self.plan.sites[site].place);
        }
        reject
    }

    fn concat(&mut self, parts: &'a [Node], site: SiteId) -> Run<Value<'a>> {
        let mut joined = String::new();
        for part in parts {
            joined.push_str(self.text(part)?.as_str());
            if joined.len() > self.limits.max_string_bytes {
                return self.too_long(site);
            }
        }
        self.burn(joined.len() as u64 / 64)?;
        Ok(Value::Text(joined.into()))
    }

    fn too_long<T>(&self, site: SiteId) -> Run<T> {
        let limit = self.limits.max_string_bytes;
        self.stop(RejectCode::Length, site, &format!("the string is longer than {limit} bytes"))
    }

    fn call(&mut self, run: crate::builtins::Run, nodes: &'a [Node], site: SiteId) -> Run<Value<'a>> {
        let mut arguments: [Value<'a>; MAX_ARGUMENTS] = [const { Value::Absent }; MAX_ARGUMENTS];
        for (argument, node) in arguments.iter_mut().zip(nodes) {
            *argument = self.node(node)?;
            if let Value::Text(text) = argument {
                self.burn(text.as_str().len() as u64 / 64)?;
            }
        }
        match run(&arguments[..nodes.len()], self.limits.max_string_bytes) {
            Ok(value) => Ok(value),
            Err(Failure::Overflow) => self.stop(RejectCode::Overflow, site, "the result is too large"),
            Err(Failure::TooLong) => self.too_long(site),
        }
    }
}

/// Two values as one: a list of two, which a pair can be wherever it stands.
fn pair<'a>(left: Value<'a>, right: Value<'a>) -> Value<'a> {
    Value::List(Rc::new(vec![left, right]))
}

/// The values of a pair. The checker sees to it that only pairs that are there are taken apart.
fn halves<'a>(value: &Value<'a>) -> (Value<'a>, Value<'a>) {
    match value {
        Value::List(items) if items.len() == 2 => (items[0].clone(), items[1].clone()),
        _ => (Value::Absent, Value::Absent),
    }
}

impl Arm {
    /// What it costs to compare a value with the patterns.
    fn weight(&self) -> u64 {
        let weight = |pattern: &Pattern| match pattern {
            Pattern::Constant(constant) => constant.weight(),
            Pattern::Absent | Pattern::Range(..) => 0,
        };
        self.patterns.iter().map(weight).sum()
    }
}

impl Pattern {
    fn takes(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Pattern::Absent, value) => matches!(value, Value::Absent),
            (Pattern::Constant(constant), value) => constant.equals(value),
            (Pattern::Range(low, high), Value::Int(value)) => (*low..=*high).contains(value),
            (Pattern::Range(..), _) => false,
        }
    }
}
