import Glibc

/// The family of an IP address in text form, under the name that tagged addresses use.
enum AddressFamily: String {
  case ipv4, ipv6

  /// Nil for anything that is no IP address, such as a host name.
  init?(of text: String) {
    var address = in6_addr()
    if inet_pton(AF_INET, text, &address) == 1 {
      self = .ipv4
    } else if inet_pton(AF_INET6, text, &address) == 1 {
      self = .ipv6
    } else {
      return nil
    }
  }
}
