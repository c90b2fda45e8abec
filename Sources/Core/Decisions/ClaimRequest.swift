/// A command that wants to go to the bank.
package struct ClaimRequest: Sendable {
    package let command: Command
    /// The operation's id, if the key is new.
    package let operationID: OperationID
    /// Names this attempt, through all retries of the claim itself (trap P7).
    package let token: ClaimToken
    package let lease: Duration

    package init(command: Command, operationID: OperationID, token: ClaimToken, lease: Duration) {
        self.command = command
        self.operationID = operationID
        self.token = token
        self.lease = lease
    }
}
