//! Evaluates the formulas of explained figures, exactly. It knows nothing of the ledger: only what the module of the figures says that a
//! formula may contain.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Zero};
use protocol::query::Explained;

/// Whether every value of a tree is what its formula gives for the values of its inputs.
pub(crate) fn check(figure: &Explained) -> Result<(), String> {
    for input in &figure.inputs {
        check(input)?;
    }
    let Some(formula) = &figure.formula else {
        return if figure.inputs.is_empty() {
            number(&figure.value).map(|_| ())
        } else {
            Err(format!("{} has inputs and no formula", figure.name))
        };
    };
    let mut parser = Parser { rest: formula, inputs: &figure.inputs };
    let value = parser.sum()?;
    if !parser.rest.trim().is_empty() {
        return Err(format!("{formula}: {:?} is left over", parser.rest));
    }
    let shown = number(&figure.value)?;
    if value != shown {
        return Err(format!("{}: {formula} gives {value}, and the value is {}", figure.name, figure.value));
    }
    Ok(())
}

fn number(text: &str) -> Result<BigRational, String> {
    let bad = || format!("{text:?} is no number");
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let digits: BigInt = format!("{whole}{places}").parse().map_err(|_| bad())?;
    let power = u32::try_from(places.len()).map_err(|_| bad())?;
    Ok(BigRational::new(digits, BigInt::from(10).pow(power)))
}

fn floor18(value: &BigRational) -> BigRational {
    let steps = BigRational::from(BigInt::from(10).pow(18));
    (value * &steps).floor() / steps
}

struct Parser<'a> {
    rest: &'a str,
    inputs: &'a [Explained],
}

impl<'a> Parser<'a> {
    fn take(&mut self, sign: char) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn sum(&mut self) -> Result<BigRational, String> {
        let mut value = self.product()?;
        loop {
            if self.take('+') {
                value += self.product()?;
            } else if self.take('-') {
                value -= self.product()?;
            } else {
                return Ok(value);
            }
        }
    }

    fn product(&mut self) -> Result<BigRational, String> {
        let mut value = self.power()?;
        loop {
            if self.take('*') {
                value *= self.power()?;
            } else if self.take('/') {
                value /= self.power()?;
            } else {
                return Ok(value);
            }
        }
    }

    fn power(&mut self) -> Result<BigRational, String> {
        let value = self.atom()?;
        if !self.take('^') {
            return Ok(value);
        }
        let exponent = self.atom()?.to_integer();
        let exponent = i32::try_from(exponent).map_err(|error| error.to_string())?;
        Ok(value.pow(exponent))
    }

    fn word(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|letter| !belongs(letter)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn atom(&mut self) -> Result<BigRational, String> {
        if self.take('(') {
            let value = self.sum()?;
            return if self.take(')') { Ok(value) } else { Err("a parenthesis is open".to_owned()) };
        }
        let digits = self.word(|letter| letter.is_ascii_digit() || letter == '.');
        if !digits.is_empty() {
            return number(digits);
        }
        let name = self.word(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        if name.is_empty() {
            return Err(format!("nothing can be read of {:?}", self.rest));
        }
        if self.take('(') { self.call(name) } else { self.input(name) }
    }

    fn all(&self, name: &str) -> Result<Vec<BigRational>, String> {
        self.inputs.iter().filter(|input| input.name == name).map(|input| number(&input.value)).collect()
    }

    fn input(&self, name: &str) -> Result<BigRational, String> {
        match self.all(name)?.as_slice() {
            [value] => Ok(value.clone()),
            values => Err(format!("{} inputs are called {name}", values.len())),
        }
    }

    fn call(&mut self, function: &str) -> Result<BigRational, String> {
        // A function of all inputs of a name.
        let before = self.rest;
        let name = self.word(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        if self.take(')') {
            match function {
                "sum" => return Ok(self.all(name)?.into_iter().sum()),
                "product18" => {
                    let all = self.all(name)?;
                    return Ok(all
                        .iter()
                        .fold(BigRational::one(), |product, next| floor18(&(product * next))));
                }
                "min" | "max" => {
                    let all = self.all(name)?.into_iter();
                    let best = if function == "min" { all.min() } else { all.max() };
                    return best.ok_or_else(|| format!("no input is called {name}"));
                }
                _ => {}
            }
        }
        self.rest = before;
        let mut arguments = vec![self.sum()?];
        while self.take(',') {
            arguments.push(self.sum()?);
        }
        if !self.take(')') {
            return Err(format!("{function} is not closed before {:?}", self.rest));
        }
        let only = |arguments: &[BigRational]| match arguments {
            [only] => Ok(only.clone()),
            _ => Err(format!("{function} takes one argument")),
        };
        match function {
            "floor" => Ok(only(&arguments)?.floor()),
            "ceil" => Ok(only(&arguments)?.ceil()),
            "floor18" => Ok(floor18(&only(&arguments)?)),
            "min" => Ok(arguments.into_iter().min().unwrap_or_else(BigRational::zero)),
            "max" => Ok(arguments.into_iter().max().unwrap_or_else(BigRational::zero)),
            _ => Err(format!("there is no function {function}")),
        }
    }
}

#[test]
fn a_wrong_value_is_found() {
    let leaf = |name: &str, value: &str| Explained {
        name: name.to_owned(),
        value: value.to_owned(),
        unit: String::new(),
        formula: None,
        inputs: Vec::new(),
        source: String::new(),
    };
    let with = |formula: &str, value: &str| Explained {
        formula: Some(formula.to_owned()),
        inputs: vec![leaf("a", "3"), leaf("b", "0.5"), leaf("c", "2"), leaf("c", "7")],
        ..leaf("x", value)
    };
    let right = [
        ("a + b * 2", "4"),
        ("(a + b) * 2", "7"),
        ("2^4 - a", "13"),
        ("floor(a / 2) + ceil(b)", "2"),
        ("floor18(1 / a)", "0.333333333333333333"),
        ("sum(c) * min(a, b, 9)", "4.5"),
        ("min(c) + max(a, sum(c))", "11"),
        ("max(c) - a", "4"),
        ("product18(c)", "14"),
    ];
    for (formula, value) in right {
        assert_eq!(check(&with(formula, value)), Ok(()), "{formula}");
        assert!(check(&with(formula, "4.25")).is_err(), "{formula} is not 4.25");
    }
    for formula in ["a +", "d", "c", "nothing(a)", "a b", "(a"] {
        assert!(check(&with(formula, "3")).is_err(), "{formula} can't be evaluated");
    }
}
