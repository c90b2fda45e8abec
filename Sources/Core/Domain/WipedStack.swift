import StackWipe

/// Does work that has card data in clear in its hands, and then overwrites the stack and the registers that it has used
/// (docs/security.md#memory).
package func wipingStack<Value, Failure: Error>(_ work: () throws(Failure) -> Value) throws(Failure) -> Value {
    defer { stack_wipe() }
    return try apart(work)
}

/// On a part of the stack that lies below the caller's, whatever the optimizer puts together.
@inline(never)
private func apart<Value, Failure: Error>(_ work: () throws(Failure) -> Value) throws(Failure) -> Value { try work() }
