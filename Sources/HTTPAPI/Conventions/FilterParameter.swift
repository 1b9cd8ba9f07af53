import Model

/// The `filter` parameter, bound to the type of the answer's elements.
struct FilterParameter<Element: Filterable>: Sendable, Hashable {
  private let text: String
  /// Nil lets everything through.
  private let filter: Filter<Element>?

  /// - Throws: the reason in the reference's words, with the status that it gives it.
  init(_ request: borrowing Request) throws(HTTPError) {
    guard !request.query.isEmpty, let text = request.query["filter"], !text.isEmpty else {
      self.text = ""
      filter = nil
      return
    }
    self.text = text
    do throws(FilterError) {
      filter = try Filter(text)
    } catch {
      throw HTTPError(error)
    }
  }

  static func == (a: Self, b: Self) -> Bool { a.text == b.text }
  func hash(into hasher: inout Hasher) { hasher.combine(text) }

  var isEmpty: Bool { filter == nil }

  func matches(_ element: @autoclosure () -> Element) -> Bool { filter?.matches(element()) ?? true }

  func apply<Original>(to elements: [Original], _ transform: (Original) -> Element) -> [Original] {
    guard let filter else { return elements }
    return elements.filter { filter.matches(transform($0)) }
  }
}

extension HTTPError {
  init(_ error: FilterError) {
    self = .server(error.description)
    isFromRead = true
  }
}
