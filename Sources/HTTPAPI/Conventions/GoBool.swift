/// A truth value as parameters may spell it.
struct GoBool: Equatable {
  let isTrue: Bool

  /// Nil for anything but `1`, `t`, `T`, `true`, `True`, `TRUE` and their opposites.
  init?(_ text: String) {
    switch text {
    case "1", "t", "T", "true", "True", "TRUE": isTrue = true
    case "0", "f", "F", "false", "False", "FALSE": isTrue = false
    default: return nil
    }
  }
}
