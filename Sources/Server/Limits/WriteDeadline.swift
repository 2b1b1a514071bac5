internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// Closes a connection whose client takes nothing of what is written to it, so that nothing is kept for it for long.
///
/// The time begins when something is written that cannot be sent at once, and anew whenever some of it was.
final class WriteDeadline: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let span: TimeAmount
    private var pending = 0
    /// When the client last took something, or had taken everything.
    private var since = NIODeadline.uptimeNanoseconds(0)
    private var timer: Scheduled<Void>?

    init(_ span: TimeAmount) {
        self.span = span
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let promise = promise ?? context.eventLoop.makePromise()
        let loop = context.eventLoop
        let own = NIOLoopBound(self, eventLoop: loop)
        if pending == 0 { since = context.eventLoop.now }
        pending += 1
        // One timer for as long as it takes, not one for each write.
        if timer == nil { start(in: span, context.channel) }
        promise.futureResult.whenComplete { _ in
            own.value.pending -= 1
            own.value.since = loop.now
        }
        context.write(data, promise: promise)
    }

    private func start(in time: TimeAmount, _ channel: any Channel) {
        let own = NIOLoopBound(self, eventLoop: channel.eventLoop)
        timer = channel.eventLoop.scheduleTask(in: time) { own.value.check(channel) }
    }

    private func check(_ channel: any Channel) {
        timer = nil
        guard pending > 0 else { return }
        let waited = channel.eventLoop.now - since
        guard waited < span else { return channel.close(promise: nil) }
        start(in: span - waited, channel)
    }
}
