import AccessControl

/// Elements of an answer that the token may see.
struct Visible<Element> {
  var elements: [Element]
  /// Whether some were left out, as far as the reader may know it.
  var isFiltered: Bool

  init(_ elements: [Element], _ rights: Rights, _ permissions: (Element) -> [Permission]) {
    if rights.isUnlimited {
      self.elements = elements
      isFiltered = false
      return
    }
    self.elements = elements.filter { element in permissions(element).allSatisfy { rights.allows($0) } }
    isFiltered = self.elements.count < elements.count && !rights.isAnonymous
  }
}
