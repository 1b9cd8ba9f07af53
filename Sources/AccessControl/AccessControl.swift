// AccessControl
