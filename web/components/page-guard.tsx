import { Component, type ComponentChildren } from 'preact';
import { forgetAnswers } from '../state/answer.ts';
import { live } from '../state/collector.ts';
import { Notice } from './notice.tsx';

interface PageGuardProps {
  readonly children: ComponentChildren;
}

interface PageGuardState {
  readonly problem: string | null;
}

/** In place of a page that can't be drawn, what is wrong; drawn again with the next answers. */
export class PageGuard extends Component<PageGuardProps, PageGuardState> {
  override state: PageGuardState = { problem: null };
  private unsubscribe = () => {};

  static override getDerivedStateFromError(error: unknown): PageGuardState {
    return { problem: error instanceof Error ? error.message : String(error) };
  }

  override componentDidMount(): void {
    this.unsubscribe = live.onRefresh(() => {
      if (this.state.problem !== null) this.setState({ problem: null });
    });
  }

  override componentDidCatch(): void {
    forgetAnswers();
  }

  override componentWillUnmount(): void {
    this.unsubscribe();
  }

  override render() {
    if (this.state.problem === null) return this.props.children;
    return (
      <Notice kind="bad" title="This page can not be drawn">
        <p>
          The collector’s answer is not what the page understands. Perhaps the two are of different versions: load the
          page anew. It is drawn again with the next figures. The API tells the same:{' '}
          <a href="/api/v1/status">/api/v1/status</a>.
        </p>
        <p class="unit">{this.state.problem}</p>
      </Notice>
    );
  }
}
