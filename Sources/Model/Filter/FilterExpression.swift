/// The filter language of list endpoints: `Service == web and "v1" in Tags` (Consul documentation, "Filtering").
///
/// `FilterParser` reads the text into this tree, `Filter` binds it to the fields of a record type and evaluates it.
indirect enum FilterExpression: Equatable {
  case or(FilterExpression, FilterExpression)
  case and(FilterExpression, FilterExpression)
  case not(FilterExpression)
  case match(selector: [String], FilterOperator, value: String)
}

/// How a selected value is compared. Raw values are the names that errors use.
enum FilterOperator: String {
  case equal = "Equal"
  case notEqual = "Not Equal"
  case contains = "In"
  case notContains = "Not In"
  case isEmpty = "Is Empty"
  case isNotEmpty = "Is Not Empty"
  case matches = "Matches"
  case notMatches = "Not Matches"

  /// The operator whose answer is the opposite, and whether this one is the negated of the two.
  var positive: (operator: FilterOperator, negated: Bool) {
    switch self {
    case .notEqual: (.equal, true)
    case .notContains: (.contains, true)
    case .isNotEmpty: (.isEmpty, true)
    case .notMatches: (.matches, true)
    default: (self, false)
    }
  }
}

/// Why a filter cannot be used. Descriptions are those of the reference.
public enum FilterError: Error, Equatable, CustomStringConvertible {
  /// The text breaks the grammar.
  case syntax(String)
  case invalidSelector(String)
  case invalidOperator(String, selector: String)
  case notCoercible(value: String, selector: String, reason: String)
  case invalidPattern(String, reason: String)
  case tooLong(limit: Int)

  public var description: String {
    "Failed to create boolean expression evaluator: " + detail
  }

  /// What is wrong, without saying what was being done.
  public var detail: String {
    switch self {
    case .syntax(let text): text
    case .invalidSelector(let selector): "Selector \"\(selector)\" is not valid"
    case .invalidOperator(let name, let selector): "Invalid match operator \"\(name)\" for selector \"\(selector)\""
    case .notCoercible(let value, let selector, let reason):
      "Failed to coerce value \"\(value)\" for selector \"\(selector)\": \(reason)"
    case .invalidPattern(let pattern, let reason):
      "Failed to compile regular expression \"\(pattern)\": error parsing regexp: \(reason)"
    case .tooLong(let limit): "expression is longer than \(limit) bytes"
    }
  }
}
