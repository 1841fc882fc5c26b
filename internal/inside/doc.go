// Package inside holds what the API's types are made of and the engine has to
// reach: the acknowledgement bits behind Message.Ack and the outcome behind a
// Receipt. So the root package exports no name that only the engine may call.
package inside
