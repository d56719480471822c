//! The end of every route: its handler, whose future goes behind a pointer.
//!
//! The type of a route has that of its handler's future in it, many times over. Left as it is, the compiler
//! proves for each of them anew that all of the services may go from thread to thread, which took ten times
//! as long as the rest of the program; behind a pointer it does so once a handler.

use std::future::Future;

use futures_util::FutureExt;
use warp::reply::Response;
use warp::{Filter, Rejection, Reply};

use super::Routes;
use super::problem::Problem;

/// A filter that a handler can end; `Args` are what it extracts, `Answered` the handler's future.
pub(super) trait HandledBy<Args, Handler, Answered> {
    /// Ends the route: the handler answers, and what it refuses is a problem document.
    fn handled_by(self, handler: Handler) -> Routes;
}

macro_rules! handled_by {
    ($($name:ident: $extracted:ident),*) => {
        impl<Route, Handler, Answered, $($extracted),*> HandledBy<($($extracted,)*), Handler, Answered> for Route
        where
            Route: Filter<Extract = ($($extracted,)*), Error = Rejection> + Clone + Send + Sync + 'static,
            Handler: Fn($($extracted),*) -> Answered + Clone + Send + Sync + 'static,
            Answered: Future<Output = Result<Response, Problem>> + Send + 'static,
            $($extracted: Send + 'static),*
        {
            fn handled_by(self, handler: Handler) -> Routes {
                self.then(move |$($name: $extracted),*| handler($($name),*).boxed())
                    .map(Reply::into_response)
                    .boxed()
            }
        }
    };
}

handled_by!(a: A);
handled_by!(a: A, b: B);
handled_by!(a: A, b: B, c: C);
handled_by!(a: A, b: B, c: C, d: D);
handled_by!(a: A, b: B, c: C, d: D, e: E);
handled_by!(a: A, b: B, c: C, d: D, e: E, f: F);
